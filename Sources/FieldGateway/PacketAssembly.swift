// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry

/// The messages in several packets (mode M3) that are coming in.
///
/// A message is known by station, function and number of packets; a packet that comes again with other bytes begins it
/// anew. What is complete is remembered for a while, so that a station that missed the confirmation gets another.
struct PacketAssembly {
    /// The packets of one message together, in bytes.
    static let longestMessage = 1 << 20
    /// Messages that are held at a time, and their bytes; the oldest give way.
    static let limit = 256
    static let bytesHeld = 64 << 20
    /// How long a message waits for its next packet before it is asked for.
    static let patience: Milliseconds = 10 * .second
    /// How often one packet is asked for (6.3.1.2 c).
    static let questions = 2
    /// How long a complete message is remembered.
    static let memory: Milliseconds = 2 * .minute

    struct Key: Hashable {
        var station: UInt64
        var function: UInt8
        var total: Int
    }

    /// A message whose packets are all there.
    struct Whole: Equatable {
        /// All packets, one behind the other, as they came.
        var payload: [UInt8]
        /// A packet of it, for the answer.
        var frame: SL651Frame
        var head: SL651Head?
    }

    enum Outcome: Equatable {
        case waits
        case complete(Whole)
        /// A packet is missing, and now is the time to say so.
        case isMissing(packet: Int, frame: SL651Frame, head: SL651Head?)
        case tooLarge
        /// What came is given up; the rest was asked for in vain.
        case givenUp(Whole, missing: Int)
    }

    private struct Message {
        var frame: SL651Frame
        var head: SL651Head?
        var packets: [Int: [UInt8]] = [:]
        var bytes = 0
        var asked: [Int: Int] = [:]
        var newest: Timestamp
        var isComplete = false

        var firstMissing: Int? { (1...self.total).first { self.packets[$0] == nil } }
        var total: Int { self.frame.packet?.total ?? 1 }
        var whole: Whole {
            let payload = (1...self.total).flatMap { self.packets[$0] ?? [] }
            return Whole(payload: payload, frame: self.frame, head: self.head)
        }
    }

    private var messages: [Key: Message] = [:]

    /// Takes one packet with its bytes.
    mutating func take(_ frame: SL651Frame, _ bytes: [UInt8], at now: Timestamp) -> Outcome {
        guard let packet = frame.packet else { return .waits }
        self.forget(before: now)
        let key = Key(station: frame.station, function: frame.function, total: packet.total)
        var message = self.messages[key] ?? Message(frame: frame, newest: now)
        if let known = message.packets[packet.number], known != bytes { message = Message(frame: frame, newest: now) }
        let wasAsked = !message.asked.isEmpty
        if message.packets.updateValue(bytes, forKey: packet.number) == nil { message.bytes += bytes.count }
        message.newest = now
        if let head = frame.head(in: bytes.span) { message.head = head }
        guard message.bytes <= Self.longestMessage else {
            self.messages[key] = nil
            return .tooLarge
        }
        defer { self.messages[key] = message }
        guard let missing = message.firstMissing else {
            let isNew = !message.isComplete
            message.isComplete = true
            message.asked = [:]
            return isNew || packet.number == packet.total ? .complete(message.whole) : .waits
        }
        // The last of the packets, or one that was asked for: what is still missing now does not come by itself.
        guard packet.number == packet.total || wasAsked else { return .waits }
        return self.ask(for: missing, of: &message, key: key)
    }

    /// What is to be said of messages of a station that wait too long.
    mutating func overdue(station: UInt64, at now: Timestamp) -> [Outcome] {
        var outcomes: [Outcome] = []
        for (key, kept) in self.messages where key.station == station && !kept.isComplete {
            guard now - kept.newest >= Self.patience, let missing = kept.firstMissing else { continue }
            var message = kept
            message.newest = now
            let outcome = self.ask(for: missing, of: &message, key: key)
            if case .givenUp = outcome { self.messages[key] = nil } else { self.messages[key] = message }
            outcomes.append(outcome)
        }
        return outcomes
    }

    private func ask(for packet: Int, of message: inout Message, key: Key) -> Outcome {
        guard message.asked[packet, default: 0] < Self.questions else {
            let outcome = Outcome.givenUp(message.whole, missing: packet)
            message = Message(frame: message.frame, newest: message.newest)
            return outcome
        }
        message.asked[packet, default: 0] += 1
        return .isMissing(packet: packet, frame: message.frame, head: message.head)
    }

    private mutating func forget(before now: Timestamp) {
        // A station that hung up in the middle begins again from the first packet.
        self.messages = self.messages.filter { now - $0.value.newest < Self.memory && !$0.value.packets.isEmpty }
        while self.messages.count >= Self.limit || self.messages.values.reduce(0, { $0 + $1.bytes }) > Self.bytesHeld,
            let oldest = self.messages.min(by: { $0.value.newest < $1.value.newest })
        {
            self.messages[oldest.key] = nil
        }
    }
}
