// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import TestSupport
import Testing

/// Messages in several packets (mode M3).
struct SL651PacketTests {
    private let body: [UInt8] = {
        let head = sl651Head + "F1F1 0012345678 48 F0F0 2206210800 04 18 000100 39 23"
        return hex(head + String(repeating: "00019070", count: 40))
    }()

    private func packets(_ body: [UInt8]? = nil, size: Int = 50) -> [[UInt8]] {
        let body = body ?? self.body
        let parts = stride(from: 0, to: body.count, by: size).map { Array(body[$0..<min($0 + size, body.count)]) }
        return parts.enumerated()
            .map { index, part in
                let end: UInt8 = index == parts.count - 1 ? 0x03 : 0x17
                return sl651Frame(0x31, part, packet: (index + 1, parts.count), end: end)
            }
    }

    @Test func packetsInOnePayloadAreOneMessage() {
        let message = decodeSL651(self.packets().flatMap { $0 })
        #expect(message.values("Z") == Array(repeating: 19.07, count: 40))
        #expect(message.refusals.isEmpty)
        #expect(message.senders.map(\.name) == [.address("0012345678")])
    }

    @Test func packetsOneByOneGiveTheValuesWithTheLast() {
        var codec = SL651Codec()
        var message = DecodedMessage()
        var packets = self.packets()
        packets.swapAt(0, 2)
        for (index, packet) in packets.enumerated() {
            codec.decode(packet.span, into: &message)
            if index < packets.count - 1 {
                #expect(message.readings.isEmpty)
                #expect(message.refusals.map(\.reason) == [.malformed])
                // Nothing is refused yet.
                #expect(message.refusals.map(\.values) == [0])
                #expect(message.awaiting == [1] && message.completed.isEmpty)
            }
        }
        #expect(message.values("Z").count == 40)
        #expect(message.refusals.isEmpty)
        #expect(message.awaiting.isEmpty && message.completed == [1])
    }

    @Test func aPacketThatCameTwiceChangesNothing() {
        var codec = SL651Codec()
        var message = DecodedMessage()
        let packets = self.packets()
        for packet in [packets[0]] + packets { codec.decode(packet.span, into: &message) }
        #expect(message.values("Z").count == 40)
    }

    @Test func aPacketOfAnotherMessageBeginsAnew() {
        var codec = SL651Codec()
        var message = DecodedMessage()
        let first = self.packets()[0]
        codec.decode(first.span, into: &message)
        let other = self.packets(hex(hexText(self.body).replacing("00019070", with: "00018000")))
        for packet in other { codec.decode(packet.span, into: &message) }
        #expect(message.values("Z") == Array(repeating: 18, count: 40))
    }

    /// An old first half and a new second one would be values that nobody measured.
    @Test func packetsWaitTenMinutesForTheOthers() throws {
        var codec = SL651Codec()
        var message = DecodedMessage()
        let packets = self.packets(size: 100)
        #expect(packets.count == 2)
        let (first, second) = (packets[0], packets[1])
        codec.now = try #require(beijing("2022-06-21T16:00:00"))
        codec.decode(first.span, into: &message)
        codec.now = try #require(beijing("2022-06-21T16:10:01"))
        codec.decode(second.span, into: &message)
        #expect(message.readings.isEmpty)
        codec.decode(first.span, into: &message)
        #expect(message.values("Z").count == 40)
    }

    @Test func aLengthWithoutTheNumberOfThePacketIsUnderstood() {
        let halves = [Array(self.body.prefix(100)), Array(self.body.dropFirst(100))]
        let frames = halves.enumerated()
            .map { index, half in
                sl651Frame(0x31, half, packet: (index + 1, 2), end: index == 1 ? 0x03 : 0x17, lengthOff: -3)
            }
        #expect(decodeSL651(frames.flatMap { $0 }).values("Z").count == 40)
    }

    @Test(arguments: [(0, 2), (3, 2), (1, 0)])
    func refusesNumbersBeyondTheTotal(number: Int, total: Int) {
        let message = decodeSL651(sl651Frame(0x31, self.body, packet: (number, total)))
        #expect(message.refusals.first?.detail.contains("packet \(number) of \(total)") == true)
    }

    @Test func whatWaitsIsBounded() {
        var codec = SL651Codec()
        var message = DecodedMessage()
        // 4095 packets of 200 bytes would be more than a message may have.
        let part = [UInt8](repeating: 0x30, count: 200)
        var reasons: Set<QuarantineReason> = []
        for number in 1..<1500 {
            codec.decode(sl651Frame(0x36, part, packet: (number, 4095), end: 0x17).span, into: &message)
            reasons.formUnion(message.refusals.map(\.reason))
            #expect(message.refusals.count == 1)
        }
        #expect(reasons == [.malformed, .tooLarge])
    }

    @Test func confirmsTheMessageByItsLastNumberAndAsksForOne() throws {
        let bytes = self.packets()[1]
        let frame = try SL651FrameReader().frame(in: bytes.span)
        let downlink = SL651Downlink(answering: frame)
        let time = try #require(beijing("2022-06-21T16:56:10"))
        let total = try #require(frame.packet?.total)
        let confirmation = downlink.confirm(frame, serial: 1, at: time)
        let read = try SL651FrameReader().frame(in: confirmation.span)
        #expect(read.isDown)
        #expect(read.packet == SL651Frame.Packet(number: total, total: total))
        #expect(read.end == .hangUp)
        #expect(read.station == 0x00_1234_5678)
        #expect(hexText(confirmation[read.body]) == "0001220621165610")
        let again = downlink.sendAgain(packet: 2, of: frame, serial: 1, at: time)
        let asked = try SL651FrameReader().frame(in: again.span)
        #expect(asked.packet == SL651Frame.Packet(number: 2, total: total))
        #expect(asked.end == .sendAgain)
    }
}
