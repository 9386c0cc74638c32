// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PayloadCodecs
import Telemetry
import TestSupport
import Testing

/// Frames that others published, from the folder of shared data.
@Suite(.enabled(if: sharedFixtures != nil, "the shared data folder is needed"))
struct SL651VectorTests {
    struct Vector: Decodable {
        enum Content: Decodable {
            case number(Double)
            case text(String)
            case list([Double?])

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let number = try? container.decode(Double.self) {
                    self = .number(number)
                } else if let list = try? container.decode([Double?].self) {
                    self = .list(list)
                } else {
                    self = .text(try container.decode(String.self))
                }
            }
        }

        var name: String
        var hex: String
        var direction: String
        var crcValid: Bool
        var decoded: [String: Content]
    }

    private struct File: Decodable {
        var vectors: [Vector]
    }

    private static func vectors() throws -> [Vector] {
        let folder = try #require(sharedFixtures)
        let data = try Data(contentsOf: folder.appending(path: "sl651_vectors.json"))
        return try JSONDecoder().decode(File.self, from: data).vectors
    }

    @Test func everyFrameUpDecodesToItsValues() throws {
        let vectors = try Self.vectors().filter { $0.direction == "up" && $0.crcValid }
        #expect(vectors.count == 11)
        for vector in vectors {
            let message = decodeSL651(hex(vector.hex))
            #expect(message.refusals.isEmpty, "\(vector.name)")
            for (key, content) in vector.decoded {
                switch (key, content) {
                case ("DRP5min_mm", .list(let values)), ("DRZ1_m_relative", .list(let values)):
                    let symbol = key == "DRP5min_mm" ? "DRP" : "DRZ1"
                    #expect(message.values(symbol) == values.compactMap { $0 }, "\(vector.name)")
                    // Five minutes apart, those that are missing left out.
                    let start = try #require(beijing("2017-07-18T10:05:00"))
                    let times = values.indices.filter { values[$0] != nil }.map { start + Int64($0) * 300_000 }
                    #expect(message.times(symbol) == times, "\(vector.name)")
                case ("PJ", .number(let value)), ("PT", .number(let value)), ("Z", .number(let value)),
                    ("VT", .number(let value)), ("PN05", .number(let value)):
                    #expect(message.values(key) == [value], "\(vector.name): \(key)")
                case ("e76", .number(let value)), ("e77", .number(let value)), ("e78", .number(let value)):
                    #expect(message.values(String(key.dropFirst())) == [value], "\(vector.name): \(key)")
                case ("ZT", _):
                    #expect(message.values("ZT.pump") == [0], "bit 10 means that the pump has stopped")
                    #expect(message.values("ZT.mains") == [1])
                case ("text", _):
                    #expect(message.values("Q") == [1.234])
                    #expect(message.readings.map(\.method) == [.manual])
                case ("obsTime", .text(let digits)) where message.values("DRP").isEmpty:
                    let time = SL651VectorTests.time(digits)
                    #expect(message.readings.allSatisfy { $0.time == time }, "\(vector.name)")
                case ("address", .text(let address)):
                    let station = String(address.prefix(10))
                    for sender in message.senders { #expect(sender.name == .address(station), "\(vector.name)") }
                default: break
                }
            }
            // Only test reports are for trying out; a sign of life holds no value.
            #expect(message.readings.allSatisfy { $0.isSimulated == vector.name.hasPrefix("30") }, "\(vector.name)")
            #expect(message.readings.isEmpty == vector.name.hasPrefix("2F"), "\(vector.name)")
        }
    }

    private static func time(_ digits: String) -> Timestamp? {
        let pairs = stride(from: 0, to: 10, by: 2).map { String(digits.dropFirst($0).prefix(2)) }
        return beijing("20\(pairs[0])-\(pairs[1])-\(pairs[2])T\(pairs[3]):\(pairs[4]):00")
    }

    @Test func aWrongCheckIsRefusedWithBothChecks() throws {
        let vectors = try Self.vectors().filter { !$0.crcValid }
        #expect(vectors.count == 1)
        for vector in vectors {
            let message = decodeSL651(hex(vector.hex))
            #expect(message.readings.isEmpty)
            #expect(message.refusals.map(\.reason) == [.malformed])
            #expect(message.refusals.first?.detail.contains("the CRC 4602 is not that of the bytes") == true)
        }
    }

    @Test func framesDownAreNoReadings() throws {
        for vector in try Self.vectors().filter({ $0.direction == "down" }) {
            let message = decodeSL651(hex(vector.hex))
            #expect(message.readings.isEmpty)
            #expect(message.refusals.first?.detail.contains("from the centre to the station") == true)
        }
    }

    /// The published confirmations are what we write to confirm the frames before them.
    @Test func confirmsAsPublished() throws {
        let vectors = try Self.vectors()
        for (report, confirmation) in [
            ("30 test report", "30 confirm (M2) reply"), ("32 timed report", "32 confirm reply"),
        ] {
            let up = try #require(vectors.first { $0.name == report })
            let down = try #require(vectors.first { $0.name == confirmation })
            let bytes = hex(up.hex)
            let frame = try SL651FrameReader().frame(in: bytes.span)
            let serial = UInt16(bytes[14]) << 8 | UInt16(bytes[15])
            let time = try #require(
                beijing(report.hasPrefix("30") ? "2059-10-11T15:49:47" : "2017-07-18T11:00:16")
            )
            let answer = SL651Downlink(answering: frame).confirm(frame, serial: serial, at: time, staysOnLine: true)
            #expect(hexText(answer) == down.hex)
        }
    }

    /// Every frame cut short anywhere, and every frame with any one bit turned, is refused.
    @Test func nothingDamagedIsTaken() throws {
        for vector in try Self.vectors() where vector.direction == "up" && vector.crcValid {
            let bytes = hex(vector.hex)
            for count in 1..<bytes.count {
                let message = decodeSL651(Array(bytes.prefix(count)))
                #expect(message.readings.isEmpty && message.refusals.count == 1, "\(vector.name) cut to \(count)")
            }
            for bit in 0..<8 * bytes.count {
                var damaged = bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                let message = decodeSL651(damaged)
                #expect(message.readings.isEmpty && !message.refusals.isEmpty, "\(vector.name) bit \(bit)")
            }
        }
    }

    @Test func hexadecimalTextIsTheSameFrame() throws {
        for vector in try Self.vectors() where vector.direction == "up" && vector.crcValid {
            let binary = decodeSL651(hex(vector.hex))
            #expect(decodeSL651(Array(vector.hex.lowercased().utf8)) == binary)
            #expect(decodeSL651(Array((vector.hex + "\r\n").utf8)) == binary)
        }
    }
}
