// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import EarlyWarning
import Foundation
import PayloadCodecs
import Platform
import Telemetry

/// The samples of a recording as they would be stored: for rule tests and backtests, which need no data directory.
///
/// A CSV file with a map gives them as `replay` does where the map names devices (their models convert and check), and as
/// `import` does where it names metrics. Without a map, neither given nor beside it, the file is in the form that
/// `import --format csv` takes.
struct RecordedHistory {
    private(set) var samples: [AppliedSample] = []
    /// What a person should know: what was sorted, what was left out.
    private(set) var notes: [String] = []
    private let resolver: CatalogResolver
    private var refused = 0

    /// - Parameter catalog: The devices that maps name.
    init(catalog: Catalog) {
        self.resolver = CatalogResolver(catalog: catalog, policy: IngestPolicy(acceptsSimulated: true))
    }

    /// The times of the first and the last sample; nil where there is none.
    var span: ClosedRange<Timestamp>? {
        let times = self.samples.lazy.map(\.sample.time)
        guard let first = times.min(), let last = times.max() else { return nil }
        return first...last
    }

    /// Plays the samples through rules, with the thresholds and channels of the catalogue.
    func backtest(_ rules: RuleSet) -> Backtest {
        let store = MemorySeries()
        for item in self.samples { store.insert(item.series.labels, item.sample) }
        let catalog = self.resolver.catalog
        var backtest = Backtest(rules: rules, store: store) { CatalogReader(base: $0, catalog: catalog) }
        backtest.channels = catalog.watchedChannels
        return backtest
    }

    /// Adds a file.
    ///
    /// - Throws: ``CommandFailure`` when it cannot be read, or is in neither form.
    mutating func read(_ file: String, map: String?) throws {
        if map == nil, !RecordingMap.stands(beside: file) { return try self.readBulk(file) }
        let recording = try RecordedFile(file, map: try RecordingMap.load(map, for: file))
        self.notes += recording.notes
        var keys: [Int: SeriesKey] = [:]
        self.refused = 0
        while let row = try recording.next() {
            for value in row.values { self.add(value, row, recording.map, file, &keys) }
        }
        if self.refused > 5 { self.notes.append("\(file): \(self.refused - 5) more were refused") }
    }

    private mutating func add(
        _ value: RecordedRow.Value,
        _ row: RecordedRow,
        _ map: RecordingMap,
        _ file: String,
        _ keys: inout [Int: SeriesKey]
    ) {
        switch map.columns[value.column].target {
        case .series(let metric, let labels, let factor):
            let key = keys[value.column] ?? SeriesKey(labels: Labels(metric: metric).merging(Labels(labels)))
            keys[value.column] = key
            let mark = SampleMark(quality: .notEvaluated, method: value.method)
            let number = factor == 1 ? value.value : (value.value * factor * 1e9).rounded() / 1e9
            self.samples.append(
                AppliedSample(series: key, sample: Sample(time: row.time, value: number, mark: mark))
            )
        case .channel(let device, let name):
            let reading = Reading(key: name, value: value.value, time: row.time, method: value.method)
            var resolved: [ResolvedReading] = []
            let refusals = self.resolver
                .resolve(device: device, readings: [reading], receivedAt: row.time, into: &resolved)
            for reading in resolved {
                if reading.isRevision {
                    self.revise(reading)
                } else {
                    self.samples.append(AppliedSample(series: reading.series, sample: reading.sample))
                }
            }
            for refusal in refusals {
                self.refused += 1
                if self.refused <= 5 { self.notes.append("\(file):\(row.line): \(refusal.detail); left out") }
            }
        }
    }

    /// Gives a sample the flag that the value behind it tells, as the store does.
    private mutating func revise(_ revision: ResolvedReading) {
        let place = self.samples.lastIndex {
            $0.sample.time == revision.sample.time && $0.series.labels == revision.series.labels
        }
        guard let place, self.samples[place].sample.value == revision.sample.value else { return }
        self.samples[place].sample.mark = self.samples[place].sample.mark.withQuality(of: revision.sample.mark)
    }

    private mutating func readBulk(_ file: String) throws {
        let data = try InputFile.readWhole(file)
        let end = data.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? data.endIndex
        let table: CSVTable
        do {
            table = try CSVTable(header: Array(data[..<end]))
        } catch {
            throw CommandFailure("\(file):\(error); or give a map of its columns")
        }
        let piece = data[end...].withUnsafeBytes { BulkReader(.csv, table: table, errorLimit: 5).read($0) }
        for error in piece.errors {
            self.notes.append("\(file):\(error.line + 1):\(error.column): \(error.message); left out")
        }
        if piece.refused > piece.errors.count {
            self.notes.append("\(file): \(piece.refused - piece.errors.count) more were left out")
        }
        for series in piece.series {
            let key = SeriesKey(labels: series.labels)
            for index in series.times.indices {
                let mark = series.marks.isEmpty ? SampleMark.measured : SampleMark(rawValue: series.marks[index])
                let sample = Sample(time: series.times[index], value: series.values[index], mark: mark)
                self.samples.append(AppliedSample(series: key, sample: sample))
            }
        }
    }
}

extension Labels {
    fileprivate init(_ labels: [String: String]) {
        self.init(labels.map { Label(name: $0.key, value: $0.value) })
    }
}
