// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The packets of messages (mode M3) whose other packets have not come yet.
///
/// A message is known by station, function and number of packets. The same packet over a second channel changes nothing;
/// another packet of the same number begins the message anew. A message that is complete is remembered, too: when its
/// last packet comes again because the batch could not be stored, the others may not.
struct SL651Packets: Sendable {
    /// Of one message, in bytes.
    static let longestMessage = 256 << 10
    /// Messages that wait at a time; the oldest gives way.
    static let waitingMessages = 64
    /// How long a packet waits for the others: as long as a station stays on line.
    static let patience: Milliseconds = 10 * .minute

    enum Outcome {
        case waits
        /// With the message's number, by which its packets were said to wait.
        case complete([UInt8], message: Int)
        case tooLarge
    }

    private struct Key: Hashable {
        var station: UInt64
        var function: UInt8
        var total: Int
    }

    private struct Message {
        let number: Int
        var key: Key
        var parts: [Int: [UInt8]] = [:]
        var bytes = 0
        var newest: Timestamp
        /// The packets that came in the payload at hand.
        var present: [Int] = []
    }

    private var waiting: [Message] = []
    private var messages = 0

    /// Takes one packet.
    mutating func take(
        _ packet: SL651Frame.Packet,
        of frame: SL651Frame,
        _ bytes: Span<UInt8>,
        at now: Timestamp
    ) -> Outcome {
        self.waiting.removeAll { now - $0.newest > Self.patience && $0.present.isEmpty }
        let key = Key(station: frame.station, function: frame.function, total: packet.total)
        var part: [UInt8] = []
        part.reserveCapacity(frame.body.count)
        for index in frame.body { part.append(bytes[index]) }
        var message = self.begin(key, at: now)
        if let index = self.waiting.firstIndex(where: { $0.key == key }) {
            message = self.waiting.remove(at: index)
            if let known = message.parts[packet.number], known != part { message = self.begin(key, at: now) }
        }
        if message.parts.updateValue(part, forKey: packet.number) == nil { message.bytes += part.count }
        message.newest = now
        message.present.append(packet.number)
        guard message.bytes <= Self.longestMessage else { return .tooLarge }
        let isComplete = message.parts.count == packet.total
        if isComplete { message.present = [] }
        if self.waiting.count >= Self.waitingMessages { self.waiting.removeFirst() }
        self.waiting.append(message)
        guard isComplete else { return .waits }
        var body: [UInt8] = []
        body.reserveCapacity(message.bytes)
        for number in 1...packet.total { body += message.parts[number] ?? [] }
        return .complete(body, message: message.number)
    }

    private mutating func begin(_ key: Key, at now: Timestamp) -> Message {
        self.messages += 1
        return Message(number: self.messages, key: key, newest: now)
    }

    /// What is to be said of the packets of the payload that ends here and are still without the others, by message.
    mutating func refused() -> [(message: Int, text: String)] {
        var texts: [(message: Int, text: String)] = []
        for index in self.waiting.indices where !self.waiting[index].present.isEmpty {
            let message = self.waiting[index]
            let numbers = message.present.map { "\($0)" }.joined(separator: ", ")
            let missing = message.key.total - message.parts.count
            let text =
                "packet \(numbers) of \(message.key.total) of one message; its values are given when the other \(missing) "
                + "have come, within ten minutes. Packets in one payload need not wait"
            texts.append((message.number, text))
            self.waiting[index].present = []
        }
        return texts
    }
}
