// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import TestSupport
import Testing

struct BulkRoundTripTests {
    private static let values: [Double] = [
        0, -0.0, 1, -1, 0.1, 19.07, 12.345, 0.0005, 1e-7, 1.5e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
        123456789.125,
        0.1 + 0.2, 1.0 / 3, 9_007_199_254_740_994, 1e15, 1e16, 123456.7, 1_234_567, 12_345_678, 99_999_999, .infinity,
        -.infinity,
        .nan,
    ]

    private func text(_ generator: inout SeededGenerator) -> String {
        let pieces = [
            "a", "Z", "0", " ", "\"", "\\", "\n", ",", ";", "{", "}", "é", "星子", "🌊", "\t", "=", "#", "\u{1}",
        ]
        return (0..<Int.random(in: 0...6, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }
            .joined()
    }

    private func series(_ number: Int, marked: Bool, _ generator: inout SeededGenerator) -> BulkSeries {
        var pairs = [
            Label(name: "__name__", value: "metric_\(number):x"), Label(name: "b", value: self.text(&generator)),
            Label(name: "method", value: self.text(&generator)),
        ]
        if Bool.random(using: &generator) { pairs.append(Label(name: "a1", value: self.text(&generator))) }
        var series = BulkSeries(labels: Labels(pairs))
        for _ in 0..<Int.random(in: 1...50, using: &generator) {
            let moment = Int64.random(in: -10_000_000_000...4_000_000_000_000, using: &generator)
            series.times.append(Timestamp(milliseconds: Bool.random(using: &generator) ? moment : moment / 1000 * 1000))
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: series.values.append(Self.values.randomElement(using: &generator) ?? 0)
            case 1: series.values.append(Double(Int.random(in: -100_000...100_000, using: &generator)) / 100)
            case 2: series.values.append(Double.random(in: -1e6...1e6, using: &generator))
            default:
                let value = Double(bitPattern: generator.next())
                series.values.append(value.isNaN ? .nan : value)
            }
            if marked {
                let mark = SampleMark(
                    quality: Quality.allCases.randomElement(using: &generator) ?? .pass,
                    method: Telemetry.Method.allCases.randomElement(using: &generator) ?? .measured,
                    simulated: Bool.random(using: &generator)
                )
                series.marks.append(mark.rawValue)
            }
        }
        return series
    }

    @Test(arguments: BulkFormat.allCases)
    func readsBackWhatItWrote(format: BulkFormat) throws {
        var generator = SeededGenerator.announced()
        for _ in 0..<40 {
            let input = (0..<10).map { self.series($0, marked: format == .csv, &generator) }
            let writer = BulkWriter(format, labelNames: ["__name__", "a1", "b", "method"])
            var text: [UInt8] = []
            writer.begin(into: &text)
            let body = text.count
            for series in input { writer.write(series, into: &text) }
            writer.end(into: &text)
            let table = try text.withUnsafeBytes { bytes in
                format == .csv ? try CSVTable(header: UnsafeRawBufferPointer(rebasing: bytes[..<body])) : nil
            }
            let whole = text[body...].withUnsafeBytes { BulkReader(format, table: table).read($0) }
            #expect(whole.errors.isEmpty)
            #expect(whole.series.map(\.labels) == input.map(\.labels))
            #expect(whole.series.map(\.times) == input.map(\.times))
            #expect(whole.series.map { $0.values.map(\.bitPattern) } == input.map { $0.values.map(\.bitPattern) })
            if format == .csv {
                let measured = BulkSeries.defaultMark
                let marks = whole.series.map { $0.marks.isEmpty ? $0.times.map { _ in measured } : $0.marks }
                #expect(marks == input.map(\.marks))
            }
            // In pieces of any size it is the same, each sample once.
            var offset = body
            var samples = 0
            var lines = 0
            while offset < text.count {
                var size = Int.random(in: 1...2000, using: &generator)
                var length = 0
                while length == 0, offset < text.count {
                    let end = min(offset + size, text.count)
                    length = text[offset..<end].withUnsafeBytes { format.split($0, table: table) }
                    size *= 2
                }
                let piece = text[offset..<offset + length]
                    .withUnsafeBytes {
                        BulkReader(format, table: table).read($0)
                    }
                #expect(piece.errors.isEmpty)
                samples += piece.samples
                lines += piece.lines
                offset += length
            }
            #expect(samples == whole.samples && lines == whole.lines)
        }
    }

    /// Cuts, changes and swaps bytes of good text; nothing may trap, and lines before the damage stay.
    @Test(arguments: BulkFormat.allCases)
    func survivesDamage(format: BulkFormat) throws {
        var generator = SeededGenerator.announced()
        let writer = BulkWriter(format, labelNames: ["a1", "b", "method"])
        var header: [UInt8] = []
        writer.begin(into: &header)
        let table = format == .csv ? try header.withUnsafeBytes { try CSVTable(header: $0) } : nil
        for _ in 0..<500 {
            var text: [UInt8] = []
            for number in 0..<3 { writer.write(self.series(number, marked: false, &generator), into: &text) }
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let place = Int.random(in: 0..<text.count, using: &generator)
                text[place] = UInt8.random(in: 0...255, using: &generator)
            }
            text.removeLast(Int.random(in: 0..<text.count, using: &generator))
            let piece = text.withUnsafeBytes { BulkReader(format, table: table).read($0) }
            #expect(piece.samples == piece.series.reduce(0) { $0 + $1.times.count })
        }
    }

    /// Against the standard library, on text that looks like numbers.
    @Test func readsNumbersAsTheStandardLibraryDoes() {
        var generator = SeededGenerator.announced()
        for _ in 0..<20_000 {
            let digits = Int.random(in: 1...20, using: &generator)
            var text = String((0..<digits).map { _ in Character("\(Int.random(in: 0...9, using: &generator))") })
            if Bool.random(using: &generator) {
                text.insert(
                    ".",
                    at: text.index(text.startIndex, offsetBy: Int.random(in: 0...digits, using: &generator))
                )
            }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                text += "e\(Int.random(in: -330...330, using: &generator))"
            }
            if Bool.random(using: &generator) { text = "-" + text }
            let line = Array("x \(text) 1\n".utf8)
            let read = line.withUnsafeBytes { BulkReader(.prometheus).read($0) }.series.first?.values.first
            let expected = Double(text).flatMap { $0.isFinite ? $0 : nil }
            #expect(read?.bitPattern == expected?.bitPattern, "\(text)")
        }
    }
}
