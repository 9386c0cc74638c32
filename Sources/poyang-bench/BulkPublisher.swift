// poyang
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Publishes many messages with as little work as possible, so that the broker and the subscriber are what is measured.
///
/// MQTT 3.1.1 over a socket of its own: PUBLISH packets are written 64 KiB at a time, PUBACKs only counted.
struct BulkPublisher {
    /// Messages sent and not acknowledged, at most.
    var window = 5000
    /// 0 or 1.
    var quality: UInt8 = 1
    /// Messages a second, in even steps; nil: as fast as they are acknowledged.
    var rate: Int?

    /// Publishes `count` messages to the broker on the loopback and returns when all are acknowledged (QoS 1) or written.
    ///
    /// - Parameters:
    ///   - port: Where the broker listens.
    ///   - count: How many messages.
    ///   - message: Topic and payload of a message by its number; asked right before it is written.
    /// - Throws: ``BenchFailure`` when the broker cannot be reached or hangs up.
    func publish(port: UInt16, count: Int, message: (Int) -> (topic: String, payload: String)) throws {
        let descriptor = try self.connect(port)
        defer { close(descriptor) }
        var output: [UInt8] = []
        var written = 0
        var sent = 0
        var acknowledgedBytes = 0
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let began = MonotonicClock.now
        while sent < count || written < output.count || (self.quality > 0 && acknowledgedBytes / 4 < count) {
            if written == output.count {
                output.removeAll(keepingCapacity: true)
                written = 0
                let due = self.rate.map { Int(Double(MonotonicClock.now - began) / 1e9 * Double($0)) + 1 } ?? count
                while sent < min(due, count), output.count < 60_000,
                    self.quality == 0 || sent - acknowledgedBytes / 4 < self.window
                {
                    self.append(message(sent), number: sent, to: &output)
                    sent += 1
                }
            }
            let wantsWrite = written < output.count
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN) | (wantsWrite ? Int16(POLLOUT) : 0), revents: 0)
            // Where the next message is not due yet, nothing need happen.
            let isPausing = self.rate != nil && !wantsWrite && sent < count
            guard poll(&ready, 1, isPausing ? 1 : 30_000) > 0 || isPausing else {
                throw BenchFailure("the broker does not answer")
            }
            if ready.revents & Int16(POLLIN) != 0 {
                let got = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                guard got > 0 || errno == EAGAIN else { throw BenchFailure("the broker hung up") }
                acknowledgedBytes += max(0, got)
            }
            if wantsWrite, ready.revents & Int16(POLLOUT) != 0 {
                let put = output[written...]
                    .withUnsafeBytes {
                        send(
                            descriptor,
                            $0.baseAddress,
                            $0.count,
                            Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
                        )
                    }
                guard put > 0 || errno == EAGAIN else { throw BenchFailure("the broker hung up") }
                written += max(0, put)
            }
        }
        // DISCONNECT; what was written before it is delivered.
        _ = send(descriptor, [0xE0, 0x00] as [UInt8], 2, Int32(MSG_NOSIGNAL))
    }

    private func connect(_ port: UInt16) throws -> Int32 {
        let descriptor = try LoopbackSocket.connect(port)
        let client = Array("bulk-\(getpid())".utf8)
        var hello: [UInt8] = [0x10, UInt8(12 + client.count), 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60]
        hello += [0, UInt8(client.count)] + client
        var answer = [UInt8](repeating: 0, count: 4)
        guard send(descriptor, hello, hello.count, 0) == hello.count,
            recv(descriptor, &answer, 4, Int32(MSG_WAITALL)) == 4, answer[3] == 0
        else {
            close(descriptor)
            throw BenchFailure("no broker takes connections on 127.0.0.1:\(port)")
        }
        return descriptor
    }

    private func append(_ message: (topic: String, payload: String), number: Int, to output: inout [UInt8]) {
        let topic = message.topic.utf8
        let payload = message.payload.utf8
        output.append(0x30 | self.quality << 1)
        var length = 2 + topic.count + (self.quality > 0 ? 2 : 0) + payload.count
        repeat {
            let byte = UInt8(length & 0x7F)
            length >>= 7
            output.append(length > 0 ? byte | 0x80 : byte)
        } while length > 0
        output.append(UInt8(truncatingIfNeeded: topic.count >> 8))
        output.append(UInt8(truncatingIfNeeded: topic.count))
        output.append(contentsOf: topic)
        if self.quality > 0 {
            let packetID = UInt16(truncatingIfNeeded: number % 65_535 + 1)
            output.append(UInt8(packetID >> 8))
            output.append(UInt8(truncatingIfNeeded: packetID))
        }
        output.append(contentsOf: payload)
    }
}
