// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PayloadCodecs
import Platform
import SeriesStorage
import Synchronization
import Telemetry
import TestSupport
import Testing

struct BulkImportTests {
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)

    /// Bytes in memory, given out in pieces of odd sizes.
    private final class Bytes: BulkInput {
        let bytes: [UInt8]
        private var offset = 0
        /// Reading fails behind this byte.
        private let breaksAt: Int?

        init(_ bytes: [UInt8], breaksAt: Int? = nil) {
            self.bytes = bytes
            self.breaksAt = breaksAt
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            if let breaksAt, self.offset >= breaksAt { throw Broken() }
            let count = min(buffer.count, 777, self.bytes.count - self.offset)
            buffer.copyBytes(from: self.bytes[self.offset..<self.offset + count])
            self.offset += count
            return count
        }

        func seek(to offset: Int64) throws { self.offset = Int(offset) }
    }

    private struct Broken: Error {}

    /// Lines that never end, without the memory for them.
    private final class Endless: BulkInput {
        private var left: Int
        private var tail: [UInt8]

        init(line: Int, tail: String) {
            self.left = line
            self.tail = Array(tail.utf8)
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            if self.left > 0 {
                let count = min(buffer.count, self.left)
                buffer[..<count].initializeMemory(as: UInt8.self, repeating: 0x78)
                self.left -= count
                return count
            }
            let count = min(buffer.count, self.tail.count)
            buffer.copyBytes(from: self.tail.prefix(count))
            self.tail.removeFirst(count)
            return count
        }

        func seek(to offset: Int64) throws {}
    }

    private func options(_ format: BulkFormat, strict: Bool = false) -> BulkImport.Options {
        var options = BulkImport.Options(format: format)
        options.isStrict = strict
        options.unitBytes = 1500
        options.gatheredSamples = 100
        options.workers = 3
        return options
    }

    private func sink(_ store: SeriesStore, failAfter limit: Int = .max) -> BulkImport.Sink {
        let commits = CommitCounter()
        return BulkImport.Sink(
            prepare: { store.prepareImport($0) },
            commit: { prepared, mark in
                guard commits.next() < limit else { throw Broken() }
                return try store.commitImport(prepared, mark: mark, at: Self.now)
            }
        )
    }

    private final class CommitCounter: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            self.count.withLock { count in
                count += 1
                return count - 1
            }
        }
    }

    private func withStore<Result>(_ body: (SeriesStore) throws -> Result) throws -> Result {
        try inTemporaryFolder { folder in
            let store = try self.store(in: folder)
            defer { try? store.close() }
            return try body(store)
        }
    }

    private func store(in folder: URL) throws -> SeriesStore {
        let path = folder.appendingPathComponent("samples.db").path
        return try SeriesStore(path: path, processed: JournalPosition(rawValue: 0))
    }

    /// Every sample of a store as a line of text.
    private func contents(_ store: SeriesStore) throws -> [String] {
        let request = SelectRequest(
            matchers: [],
            extent: .window(after: .distantPast, through: .distantFuture),
            qualities: .all
        )
        return try store.reader.select(request)
            .flatMap { series in
                series.times.indices.map { index in
                    "\(series.labels) \(series.times[index].milliseconds) \(series.values[index].bitPattern) "
                        + "\(series.marks[index].rawValue)"
                }
            }
            .sorted()
    }

    /// Some series, those of each time together, as a file has them that was written as things happened.
    private func text(_ format: BulkFormat) -> (text: [UInt8], samples: Int) {
        let writer = BulkWriter(format, labelNames: ["site"])
        var text: [UInt8] = []
        var samples = 0
        writer.begin(into: &text)
        for step in 0..<100 {
            for number in 0..<10 {
                var series = BulkSeries(labels: Labels(metric: "water_level_meters", ["site": "s\(number)"]))
                for index in 0..<(format.isRowWise ? 1 : 5) {
                    series.times.append(Timestamp(milliseconds: Int64(step * 5 + index) * 300_000 + 1_700_000_000_000))
                    series.values.append(Double(step * 7 + number * 3 + index) / 100)
                    samples += 1
                }
                writer.write(series, into: &text)
            }
        }
        writer.end(into: &text)
        return (text, samples)
    }

    @Test(arguments: BulkFormat.allCases)
    func storesEverySampleOnceWhateverTheUnits(format: BulkFormat) throws {
        let (text, samples) = self.text(format)
        let whole = try self.withStore { store in
            let run = BulkImport(BulkImport.Options(format: format), sink: self.sink(store))
            let summary = try run.run(Bytes(text))
            #expect(summary.samples == Int64(samples) && summary.counts.stored == samples && summary.refused == 0)
            #expect(summary.bytes == Int64(text.count) && summary.hasEnd == (format == .openMetrics))
            return try self.contents(store)
        }
        #expect(whole.count == samples)
        try self.withStore { store in
            let run = BulkImport(self.options(format), sink: self.sink(store))
            let summary = try run.run(Bytes(text))
            #expect(summary.counts.stored == samples && summary.lines == Int64(text.count { $0 == 0x0A }))
            #expect(try self.contents(store) == whole)
            // Once more: everything is there already.
            let again = try run.run(Bytes(text))
            #expect(again.counts.stored == 0 && again.counts.duplicates == samples && again.counts.revised == 0)
            try store.compact()
            #expect(try self.contents(store) == whole)
        }
    }

    @Test(arguments: BulkFormat.allCases, [1, 3, 6])
    func goesOnWhereItBrokeOff(format: BulkFormat, commits: Int) throws {
        let (text, samples) = self.text(format)
        let start = ImportMark(source: "x", bytes: 0, lines: 0, counts: ImportCounts())
        let whole = try self.withStore { store in
            _ = try BulkImport(self.options(format), sink: self.sink(store)).run(Bytes(text))
            return try self.contents(store)
        }
        try self.withStore { store in
            #expect(throws: Broken.self) {
                try BulkImport(self.options(format), sink: self.sink(store, failAfter: commits))
                    .run(Bytes(text), mark: start)
            }
            let mark = try #require(try store.importMark(of: "x"))
            #expect(mark.bytes > 0 && mark.bytes < Int64(text.count) && mark.counts.stored > 0)
            #expect(mark.lines == Int64(text.prefix(Int(mark.bytes)).count { $0 == 0x0A }))
            let summary = try BulkImport(self.options(format), sink: self.sink(store)).run(Bytes(text), mark: mark)
            #expect(summary.counts.stored == samples && summary.counts.duplicates == 0)
            #expect(summary.samples == Int64(samples - mark.counts.stored))
            #expect(summary.lines == Int64(text.count { $0 == 0x0A }))
            #expect(try self.contents(store) == whole)
            try store.finishImport(of: "x")
            #expect(try store.importMark(of: "x") == nil)
        }
    }

    @Test func storesWhatCameBeforeTheInputBroke() throws {
        let (text, _) = self.text(.vmJSONLines)
        try self.withStore { store in
            #expect(throws: Broken.self) {
                try BulkImport(self.options(.vmJSONLines), sink: self.sink(store))
                    .run(Bytes(text, breaksAt: text.count / 2))
            }
            let count = try self.contents(store).count
            #expect(count > 1000)
        }
    }

    @Test(arguments: [BulkFormat.vmJSONLines, .csv, .openMetrics])
    func numbersRefusedLinesByTheirPlaceInTheInput(format: BulkFormat) throws {
        var lines = self.text(format).text.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
        for line in [3, 57, 400, 999] { lines[line - 1] = "damaged" }
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        try self.withStore { store in
            let summary = try BulkImport(self.options(format), sink: self.sink(store)).run(Bytes(text))
            #expect(summary.refused == 4 && summary.errors.map(\.line) == [3, 57, 400, 999])
            #expect(!summary.isStopped)
        }
    }

    @Test(arguments: [BulkFormat.vmJSONLines, .csv])
    func aStrictImportEndsAtTheFirstRefusedLine(format: BulkFormat) throws {
        var lines = self.text(format).text.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
        lines[399] = "damaged"
        lines[700] = "damaged"
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        try self.withStore { store in
            let start = ImportMark(source: "x", bytes: 0, lines: 0, counts: ImportCounts())
            let summary = try BulkImport(self.options(format, strict: true), sink: self.sink(store))
                .run(Bytes(text), mark: start)
            #expect(summary.isStopped && summary.refused == 1 && summary.errors.map(\.line) == [400])
            #expect(try self.contents(store).count == (format == .csv ? 398 : 399 * 5))
            #expect(try store.importMark(of: "x")?.lines == 399)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func refusesALineThatIsTooLongAndGoesOn() throws {
        let tail = "\n" + #"{"metric":{"__name__":"m"},"values":[1],"timestamps":[1]}"# + "\n"
        try self.withStore { store in
            let input = Endless(line: BulkFormat.maximumLine + 5_000_000, tail: tail)
            let summary = try BulkImport(BulkImport.Options(format: .vmJSONLines), sink: self.sink(store)).run(input)
            #expect(summary.refused == 1 && summary.counts.stored == 1 && summary.lines == 2)
            #expect(summary.errors.first?.message.contains("64 MiB") ?? false)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func readsWhatArrivesInPieces() async throws {
        let (text, samples) = self.text(.vmJSONLines)
        let input = StreamInput()
        async let pushed: Void = {
            for start in stride(from: 0, to: text.count, by: 1000) {
                await input.push(Array(text[start..<min(start + 1000, text.count)]))
            }
            input.end()
        }()
        try await withTemporaryFolder { folder in
            let store = try self.store(in: folder)
            let run = BulkImport(self.options(.vmJSONLines), sink: self.sink(store))
            let summary = try await onThread("test") { try run.run(input) }
            #expect(summary.counts.stored == samples)
            try store.close()
        }
        await pushed
    }

    @Test func refusesWhatTheSinkObjectsTo() throws {
        let (text, samples) = self.text(.csv)
        try self.withStore { store in
            var sink = self.sink(store)
            sink.objection = { $0.site == "s3" ? "not this one" : nil }
            let summary = try BulkImport(BulkImport.Options(format: .csv), sink: sink).run(Bytes(text))
            #expect(summary.counts.stored == samples * 9 / 10 && summary.refused == 1)
            #expect(summary.errors.map(\.message) == ["not this one"] && summary.errors.map(\.line) == [5])
        }
    }
}
