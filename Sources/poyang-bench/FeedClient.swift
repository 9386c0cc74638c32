// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Synchronization

/// A client on `/alerts/stream` that notes when each event came.
final class FeedClient: Sendable {
    struct Event: Hashable, Sendable {
        let site: String
        /// As the feed writes it, RFC 3339.
        let time: String
        let action: String
    }

    private let descriptor: Int32
    /// Lines of data, and when they were there, in ns of the monotonic clock.
    private let lines = Mutex<[(text: String, at: UInt64)]>([])

    /// Connects, and returns when the stream has begun.
    init(port: UInt16) throws {
        let descriptor = try LoopbackSocket.connect(port)
        self.descriptor = descriptor
        let request = Array("GET /alerts/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw BenchFailure("the service hung up")
        }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var head: [UInt8] = []
        while !String(decoding: head, as: UTF8.self).contains("retry:") {
            let got = recv(descriptor, &buffer, buffer.count, 0)
            guard got > 0 else { throw BenchFailure("the service does not begin the stream") }
            head += buffer[..<got]
        }
        let thread = Thread { self.read() }
        thread.start()
    }

    deinit { close(self.descriptor) }

    private func read() {
        var rest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got = recv(self.descriptor, &buffer, buffer.count, 0)
            guard got > 0 else { return }
            let now = MonotonicClock.now
            rest += buffer[..<got]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                if rest.starts(with: "data: ".utf8) {
                    let text = String(decoding: rest[6..<end], as: UTF8.self)
                    self.lines.withLock { $0.append((text, now)) }
                }
                rest.removeSubrange(...end)
            }
        }
    }

    /// Waits until so many events have come, or for the timeout, and ends the stream.
    func events(count: Int, timeout: Duration) throws -> [Event: UInt64] {
        struct Feature: Decodable {
            struct Properties: Decodable {
                let site: String
                let eventTime: String
                let action: String
            }
            let properties: Properties
        }
        let deadline = ContinuousClock.now + timeout
        while self.lines.withLock({ $0.count }) < count, ContinuousClock.now < deadline { usleep(10_000) }
        shutdown(self.descriptor, Int32(SHUT_RDWR))
        var events: [Event: UInt64] = [:]
        for line in self.lines.withLock({ $0 }) {
            let properties = try JSONDecoder().decode(Feature.self, from: Data(line.text.utf8)).properties
            let event = Event(site: properties.site, time: properties.eventTime, action: properties.action)
            events[event] = line.at
        }
        return events
    }
}

/// How long this disk takes to flush a block, now and then beside what is measured.
final class FlushTimer: Sendable {
    private let descriptor: Int32
    private let milliseconds = Mutex<[Double]>([])
    private let isStopped = Atomic(false)

    /// Writes to a file in `folder`, ten times a second.
    init(in folder: URL) throws {
        let descriptor = open(folder.appendingPathComponent("flush").path, O_RDWR | O_CREAT, 0o600)
        guard descriptor >= 0 else { throw BenchFailure("cannot write to \(folder.path)") }
        self.descriptor = descriptor
        let thread = Thread { self.run() }
        thread.start()
    }

    deinit { close(self.descriptor) }

    private func run() {
        let block = [UInt8](repeating: 1, count: 4096)
        var offset = 0
        while !self.isStopped.load(ordering: .relaxed) {
            let began = MonotonicClock.now
            pwrite(self.descriptor, block, block.count, offset)
            fdatasync(self.descriptor)
            let spent = Double(MonotonicClock.now - began) / 1e6
            self.milliseconds.withLock { $0.append(spent) }
            offset += block.count
            usleep(100_000)
        }
    }

    /// - Returns: What each flush took, in ms.
    func stop() -> [Double] {
        self.isStopped.store(true, ordering: .relaxed)
        return self.milliseconds.withLock { $0 }
    }
}
