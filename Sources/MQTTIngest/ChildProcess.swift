// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Synchronization

/// A child process with a clean signal mask, no standard input or output, and no other descriptor of ours.
///
/// Foundation's `Process` lets the child inherit the mask of the thread that starts it; threads of Dispatch block SIGTERM, and
/// a broker started there cannot be ended.
final class ChildProcess: Sendable {
    let processID: Int32
    private let status: Mutex<Int32?>

    /// - Throws: ``MQTTError`` `broker_failed` with the system's reason.
    init(program: String, arguments: [String]) throws {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        // What it inherits would look open to others for as long as it lives, also when we are gone.
        for descriptor in Self.openDescriptors() where descriptor > 2 {
            unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var texts = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
        defer { for index in 0...arguments.count { unsafe free(texts[index]) } }
        var processID: Int32 = 0
        let result = unsafe posix_spawn(&processID, program, &actions, &attributes, &texts, environ)
        guard result == 0 else {
            let reason = unsafe String(cString: strerror(result))
            throw MQTTError(.brokerFailed, "\(program) could not be run: \(reason)")
        }
        self.processID = processID
        self.status = Mutex(nil)
    }

    /// One that is gone by the time of the spawn does no harm.
    private static func openDescriptors() -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { Int32($0) }
    }

    /// Whether it still runs; takes the exit status when not.
    var isRunning: Bool {
        self.status.withLock { status in
            if status == nil { status = self.collect(options: WNOHANG) }
            return status == nil
        }
    }

    /// Sends a signal if it still runs, and waits for its end.
    func end(with signal: Int32) {
        self.status.withLock { status in
            guard status == nil else { return }
            status = self.collect(options: WNOHANG)
            guard status == nil else { return }
            _ = kill(self.processID, signal)
            status = self.collect(options: 0)
        }
    }

    private func collect(options: Int32) -> Int32? {
        var status: Int32 = 0
        var result: Int32
        repeat {
            result = unsafe waitpid(self.processID, &status, options)
        } while result == -1 && errno == EINTR
        // A child that somebody else collected has ended, too.
        return result == 0 ? nil : status
    }
}
