// poyang
// SPDX-License-Identifier: Apache-2.0

import CZlib
import Foundation
import NIOCore
import Telemetry
import TestSupport
import Testing

@testable import HTTPAPI
@testable import PromQL

/// The parts of answers as Prometheus writes them.
struct PrometheusTextTests {
    private func text(_ write: (inout PrometheusText) -> Void) -> String {
        var text = PrometheusText()
        write(&text)
        return text.string
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "-0"), (1, "1"), (-21.43, "-21.43"), (0.1, "0.1"), (100, "100"), (1.5e-5, "0.000015"),
            (9.9e-7, "9.9e-07"), (1e-6, "0.000001"), (1e16, "10000000000000000"), (1.5e20, "150000000000000000000"),
            (1e21, "1e+21"), (-2.5e-300, "-2.5e-300"), (12.345678901234567, "12.345678901234567"),
            (123456789.25, "123456789.25"), (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
            (1234567.8901234567e3, "1234567890.1234567"), (.leastNonzeroMagnitude, "5e-324"),
            (0.000123456789012, "0.000123456789012"),
        ] as [(Double, String)]
    )
    func numbers(value: Double, expected: String) {
        #expect(self.text { $0.number(value) } == expected)
        #expect(PrometheusNumber.text(value) == expected)
    }

    /// Whatever stood before, the text reads back as the same value.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func anyNumberReadsBackTheSame(seed: UInt64) throws {
        print("numbers: seed \(seed)")
        var numbers = SeededGenerator(seed: seed)
        var text = PrometheusText()
        for _ in 0..<20_000 {
            let value =
                Bool.random(using: &numbers)
                ? Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &numbers))
                : Double(Int.random(in: -100_000...100_000, using: &numbers)) / 1000
            let start = text.count
            text.number(value)
            let written = try #require(text.buffer.getString(at: start, length: text.count - start))
            if value.isNaN {
                #expect(written == "NaN")
            } else {
                #expect(Double(written) == value, "\(written) for \(value.bitPattern), seed \(seed)")
                let magnitude = abs(value)
                let hasExponent = magnitude > 0 && (magnitude < 1e-6 || magnitude >= 1e21)
                let expected = hasExponent ? NumberText.text(value) : NumberText.decimal(value)
                #expect(written == expected, "seed \(seed)")
            }
        }
    }

    @Test(
        arguments: [
            (1_435_781_430_781, "1435781430.781"), (1_435_781_430_000, "1435781430"),
            (1_435_781_430_500, "1435781430.500"),
            (0, "0"), (-1, "-0.001"), (-1_500, "-1.500"), (7, "0.007"),
        ] as [(Int64, String)]
    )
    func times(milliseconds: Int64, expected: String) {
        #expect(self.text { $0.time(Timestamp(milliseconds: milliseconds)) } == expected)
    }

    @Test func stringsAreEscapedAsJSONHasIt() throws {
        let odd = "a\"b\\c\n\r\t\u{01}\u{1F}水"
        let text = self.text { $0.string(odd) }
        let back = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) as? String
        #expect(back == odd)
    }

    @Test func whatIsCompressedComesBack() throws {
        let stream = try #require(GzipStream())
        var compressed: [UInt8] = []
        var plain: [UInt8] = []
        for number in 0..<200 {
            let piece = Array(String(repeating: "water_level \(number) ", count: number * 10).utf8)
            plain += piece
            compressed += stream.compress(ByteBuffer(bytes: piece), isLast: false).readableBytesView
        }
        compressed += stream.compress(ByteBuffer(), isLast: true).readableBytesView
        #expect(compressed.count < plain.count / 10)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString + ".gz")
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(compressed).write(to: folder)
        let file = try #require(gzopen(folder.path, "rb"))
        defer { gzclose(file) }
        var back = [UInt8](repeating: 0, count: plain.count + 1)
        #expect(gzread(file, &back, UInt32(back.count)) == plain.count)
        #expect(back.dropLast() == plain[...])
    }

    @Test(
        arguments: [
            ("gzip", true), ("deflate, gzip;q=0.5", true), ("gzip;q=0", false), ("identity", false), ("", false),
            ("*", true), ("br, GZIP", true),
        ]
    )
    func compressesForWhoTakesIt(header: String, expected: Bool) {
        #expect(GzipMiddleware.accepts(header) == expected)
    }
}
