// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import MQTTIngest

struct RedeliveryTests {
    /// What becomes of `received` in a phase that begins with `committed`; each is packet id and hash.
    private func answers(
        _ received: [(UInt16, UInt64)],
        committed: [(UInt16, UInt64)],
        limit: Int = 100
    ) -> [Bool] {
        var redelivery = Redelivery()
        redelivery.begin(committed.map { Delivery(packetID: $0.0, hash: $0.1) }, limit: limit)
        var answers: [Bool] = []
        for (packetID, hash) in received {
            answers.append(redelivery.isKnown(Delivery(packetID: packetID, hash: hash)))
        }
        return answers
    }

    @Test func knowsADeliveryOnce() {
        #expect(self.answers([(1, 10), (1, 10), (2, 20)], committed: [(1, 10), (2, 20)]) == [true, false, true])
    }

    @Test func dropsAnEntryWhosePacketIDWasGivenToANewMessage() {
        #expect(self.answers([(1, 11), (1, 10)], committed: [(1, 10)]) == [false, false])
    }

    @Test func goesByTheNewestDeliveryOfAPacketID() {
        #expect(self.answers([(1, 11)], committed: [(1, 10), (1, 11)]) == [true])
    }

    @Test func endsAfterAsManyMessagesAsMayBeInFlight() {
        let committed: [(UInt16, UInt64)] = [(1, 10), (2, 20)]
        #expect(self.answers([(7, 1), (1, 10), (2, 20)], committed: committed, limit: 2) == [false, true, false])
    }

    @Test func knowsNothingOfQoS0() {
        #expect(self.answers([(0, 10), (3, 30)], committed: [(0, 10), (3, 30)]) == [false, true])
    }

    /// The journal keeps these: they must never change.
    @Test(
        arguments: [
            ("", #""#, 6_676_637_473_200_144_703),
            ("a", #"b"#, 12_789_885_278_023_467_491),
            ("poyang/v1/devices/a/telemetry", #"{"level":7}"#, 12_962_734_873_157_602_608),
        ] as [(String, String, UInt64)]
    )
    func hashesAsEverBefore(topic: String, payload: String, expected: UInt64) {
        let topicHash = DeliveryHash.hash(Array(topic.utf8).span, seed: DeliveryHash.topicSeed)
        #expect(DeliveryHash.hash(Array(payload.utf8).span, seed: topicHash) == expected)
    }

    @Test func hashesEveryByte() {
        var seen: Set<UInt64> = []
        for length in 0..<40 {
            for place in 0..<max(1, length) {
                var bytes = [UInt8](repeating: 0, count: length)
                if !bytes.isEmpty { bytes[place] = 1 }
                seen.insert(DeliveryHash.hash(bytes.span, seed: 1))
            }
        }
        #expect(seen.count == 1 + (1..<40).reduce(0, +))
    }
}
