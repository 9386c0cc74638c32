// poyang
// SPDX-License-Identifier: Apache-2.0

import CMosquitto
import Glibc

/// Wakes a thread that waits in `poll`.
final class WakeSignal: Sendable {
    /// Readable while a signal is pending; negative when the system gave none, and then waits end by their time-out.
    let descriptor: Int32

    init() {
        self.descriptor = poyang_wake_descriptor()
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    func signal() {
        var count: UInt64 = 1
        _ = unsafe write(self.descriptor, &count, 8)
    }

    func clear() {
        var count: UInt64 = 0
        _ = unsafe read(self.descriptor, &count, 8)
    }

    /// Waits for a signal, `timeout` milliseconds at most.
    func wait(milliseconds timeout: Int32) {
        _ = Readiness.wait(for: -1, readable: false, writable: false, wake: self, milliseconds: timeout)
    }
}

/// What `poll` found.
struct Readiness {
    var isReadable = false
    var isWritable = false

    /// Waits until the socket is ready, a signal comes, or the time is over.
    ///
    /// A negative `socket` is not waited for.
    static func wait(
        for socket: Int32,
        readable: Bool,
        writable: Bool,
        wake: WakeSignal,
        milliseconds: Int32
    ) -> Readiness {
        let events = (readable ? Int16(POLLIN) : 0) | (writable ? Int16(POLLOUT) : 0)
        var descriptors: [2 of pollfd] = [
            pollfd(fd: socket, events: events, revents: 0),
            pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        var span = descriptors.mutableSpan
        let count = unsafe span.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 2, milliseconds) }
        guard count > 0 else { return Readiness() }
        if descriptors[1].revents != 0 { wake.clear() }
        let found = descriptors[0].revents
        // An error or hang-up is found out by reading.
        let failed = found & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
        return Readiness(isReadable: found & Int16(POLLIN) != 0 || failed, isWritable: found & Int16(POLLOUT) != 0)
    }
}
