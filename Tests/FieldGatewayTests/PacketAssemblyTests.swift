// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import TestSupport
import Testing

@testable import FieldGateway

struct PacketAssemblyTests {
    private static let start = Timestamp(milliseconds: 1_655_801_770_000)

    /// What a packet gives: `waits`, `complete`, `3?` for packet 3 missing, `gone`, `large`.
    private func take(
        _ assembly: inout PacketAssembly,
        _ number: Int,
        of total: Int = 3,
        content: String = "00",
        at seconds: Int64 = 0
    ) throws -> String {
        let body = number == 1 ? hex(sl651Head) + hex(content) : hex(content)
        let end: UInt8 = number == total ? 0x03 : 0x17
        let bytes = sl651Frame(0x31, body, packet: (number, total), end: end)
        let frame = try SL651FrameReader().frame(in: bytes.span)
        return Self.text(assembly.take(frame, bytes, at: Self.start + seconds * .second))
    }

    private static func text(_ outcome: PacketAssembly.Outcome) -> String {
        switch outcome {
        case .waits: "waits"
        case .complete(let whole): "complete \(whole.head?.serial ?? 0)"
        case .isMissing(let packet, _, _): "\(packet)?"
        case .tooLarge: "large"
        case .givenUp(_, let missing): "gone \(missing)"
        }
    }

    @Test(arguments: [
        ([1, 2, 3], ["waits", "waits", "complete 1"]),
        ([2, 1, 3], ["waits", "waits", "complete 1"]),
        ([3, 1, 2], ["1?", "2?", "complete 1"]),
        ([1, 3, 2], ["waits", "2?", "complete 1"]),
        ([1, 2, 3, 1, 2, 3], ["waits", "waits", "complete 1", "waits", "waits", "complete 1"]),
        ([1, 3, 3, 3], ["waits", "2?", "2?", "gone 2"]),
    ])
    func packetsInAnyOrder(numbers: [Int], expected: [String]) throws {
        var assembly = PacketAssembly()
        #expect(try numbers.map { try self.take(&assembly, $0) } == expected)
    }

    @Test func aNewMessageTakesThePlaceOfAnUnfinishedOne() throws {
        var assembly = PacketAssembly()
        #expect(try self.take(&assembly, 1) == "waits")
        #expect(try self.take(&assembly, 2) == "waits")
        #expect(try self.take(&assembly, 1, content: "01") == "waits")
        #expect(try self.take(&assembly, 3) == "2?", "packet 2 was that of the old message")
    }

    @Test func aPacketThatDoesNotComeIsAskedForTwiceAndThenGivenUp() throws {
        var assembly = PacketAssembly()
        #expect(try self.take(&assembly, 1) == "waits")
        #expect(assembly.overdue(station: 0x00_1234_5678, at: Self.start + 9 * .second).isEmpty)
        for (seconds, expected): (Int64, String) in [(10, "2?"), (20, "2?"), (30, "gone 2")] {
            let outcomes = assembly.overdue(station: 0x00_1234_5678, at: Self.start + seconds * .second)
            #expect(outcomes.map(Self.text) == [expected])
        }
        #expect(assembly.overdue(station: 0x00_1234_5678, at: Self.start + 60 * .second).isEmpty)
    }

    @Test func whatIsTooLongIsNotHeld() throws {
        var assembly = PacketAssembly()
        let content = String(repeating: "00", count: 4000)
        var number = 0
        var outcome = "waits"
        while outcome == "waits" {
            number += 1
            outcome = try self.take(&assembly, number, of: 4095, content: content)
        }
        #expect(outcome == "large" && number == 261)
    }
}

struct StationDirectoryTests {
    @Test(arguments: [
        ("62302250", 0x00_6230_2250), ("0062302250", 0x00_6230_2250), ("36-04-83-00-01-00", 0x36_0483_0064),
        ("623R7605", nil), ("24E124136B502217", nil), ("", nil),
    ])
    func addressesAreFoundInAnyOfTheirForms(text: String, address: UInt64?) {
        #expect(StationDirectory.number(of: text) == address)
    }
}
