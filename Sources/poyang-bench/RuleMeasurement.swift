// poyang
// SPDX-License-Identifier: Apache-2.0

import CMalloc
import DeviceCatalog
import EarlyWarning
import Foundation
import Glibc
import SeriesStorage
import Synchronization
import Telemetry

/// A store and a catalogue in this process, and what rule engines over them cost, one after the other.
///
/// Readings are committed and applied as in the service, but not flushed; only what the engine takes is timed.
final class RuleMeasurement {
    struct Result {
        /// Processor time of ``RuleEngine/process(_:reader:)`` for one reading, in µs; the median of the steps.
        var microseconds: Double
        /// For one reading and one rule that looks at its series.
        var microsecondsPerRule: Double
        /// Per reading.
        var evaluations: Double
        /// How often an evaluation asks the store.
        var readsPerEvaluation: Double
        var transitions: Int
        /// What the engine holds for a site and one of its rules, the samples in its windows included.
        var bytesPerRule: Double
    }

    private static let batchSize = 120
    /// Readings of each gauge before it counts, so that all windows are held.
    private static let warmUp = 3
    /// At least so many readings count, in at least ``leastSteps`` steps.
    private static let readings = 300_000
    private static let leastSteps = 3

    private let sites: GaugedSites
    private let catalog: Catalog
    private let store: SeriesStore
    private let levels: [SeriesKey]
    private let rains: [SeriesKey]
    private let reads = ReadCounter()
    private var step = 0
    private var entries: [JournalEntry] = []

    /// Fills a new store in `folder` with so many hours of readings, which no rule sees.
    init(sites: GaugedSites, hours: Int, in folder: URL) throws {
        self.sites = sites
        let catalog = try sites.catalog()
        self.catalog = catalog
        func keys(_ metric: String) throws -> [SeriesKey] {
            try (0..<sites.count)
                .map { site in
                    let channels = catalog.registeredChannels(at: RiverSites.id(site))
                    guard let channel = channels.first(where: { $0.metric == metric }) else {
                        throw BenchFailure("no channel \(metric)")
                    }
                    return channel.series
                }
        }
        self.levels = try keys("water_level_meters")
        self.rains = try keys("rainfall_millimeters")
        self.store = try SeriesStore(path: folder.path + "/samples.db", processed: .start, synchronous: .off)
        try self.fill(steps: hours * Int(Milliseconds.hour / RiverSites.interval))
    }

    /// Runs a new engine over the next readings.
    ///
    /// It begins as after a start: its windows are in the store.
    func measure(_ rules: RuleSet) throws -> Result {
        let catalog = self.catalog
        var engine: RuleEngine? = RuleEngine(rules: rules, clockMode: .wall) { site in
            catalog.registeredChannels(at: site).map { WatchedChannel(series: $0.series.labels, schedule: $0.schedule) }
        }
        _ = try engine?.restore(alerts: [], clocks: [], reader: self.reader)
        for _ in 0..<Self.warmUp { _ = try self.takeStep(engine) }
        let before = engine?.counters.evaluations ?? 0
        self.reads.reset()
        let steps = max(Self.leastSteps, Self.readings / (2 * self.sites.count))
        var transitions = 0
        var times: [Double] = []
        for _ in 0..<steps {
            let (microseconds, changes) = try self.takeStep(engine)
            times.append(microseconds)
            transitions += changes
        }
        let evaluations = Double((engine?.counters.evaluations ?? 0) - before)
        let reads = Double(self.reads.count)
        let held = Self.allocatedBytes
        engine = nil
        let freed = held - Self.allocatedBytes
        try self.store.seal(through: self.store.appliedPosition, force: true)
        let perStep = times.sorted()[times.count / 2]
        let rulesPerSite = GaugedSites.levelRules + GaugedSites.rainRules
        return Result(
            microseconds: perStep / Double(2 * self.sites.count),
            microsecondsPerRule: perStep / Double(rulesPerSite * self.sites.count),
            evaluations: evaluations / Double(2 * self.sites.count * steps),
            readsPerEvaluation: reads / evaluations,
            transitions: transitions,
            bytesPerRule: Double(freed) / Double(rulesPerSite * self.sites.count)
        )
    }

    private var reader: any SeriesReader {
        CountingReader(base: CatalogReader(base: self.store.reader, catalog: self.catalog), counter: self.reads)
    }

    /// One reading of every gauge.
    ///
    /// - Returns: Processor time of the engine in µs, and how many transitions came.
    private func takeStep(_ engine: RuleEngine?) throws -> (microseconds: Double, transitions: Int) {
        var spent = 0.0
        var transitions = 0
        let time = RiverSites.time(self.step)
        for (keys, time, value) in self.series(at: time) {
            for first in stride(from: 0, to: keys.count, by: Self.batchSize) {
                let range = first..<min(first + Self.batchSize, keys.count)
                var batch = ReadingBatch(receivedAt: time + .second)
                batch.messages = range.count
                batch.readings = range.map { site in
                    let sample = Sample(time: time, value: value(site, self.step), mark: SampleMark(quality: .pass))
                    return ResolvedReading(series: keys[site], sample: sample, hasOwnTime: true)
                }
                let applied = try self.store.apply(try self.store.commit(batch)).batch
                let began = Self.processorMicroseconds
                transitions += try engine?.process(applied, reader: self.reader).count ?? 0
                spent += Self.processorMicroseconds - began
            }
        }
        _ = engine?.checkpoint()
        self.step += 1
        return (spent, transitions)
    }

    private func series(
        at time: Timestamp
    ) -> [(keys: [SeriesKey], time: Timestamp, value: (Int, Int) -> Double)] {
        [
            (self.levels, time, { Double(RiverSites.millimeters($0, $1)) / 1000 }),
            (self.rains, time + GaugedSites.rainDelay, GaugedSites.rainfall),
        ]
    }

    /// Imports the readings of the first steps.
    private func fill(steps: Int) throws {
        let marks = Array(repeating: SampleMark(quality: .pass).rawValue, count: steps)
        let end = RiverSites.time(steps)
        for first in stride(from: 0, to: self.sites.count, by: 500) {
            var samples: [SeriesSamples] = []
            for (keys, start, value) in self.series(at: RiverSites.time(0)) {
                let times = (0..<steps).map { start + Int64($0) * RiverSites.interval }
                for site in first..<min(first + 500, keys.count) {
                    let values = (0..<steps).map { value(site, $0) }
                    samples.append(
                        SeriesSamples(labels: keys[site].labels, times: times, values: values, marks: marks)
                    )
                }
            }
            try self.store.commitImport(self.store.prepareImport(samples), at: end) { self.entries.append($0) }
            for entry in self.entries { _ = try self.store.apply(entry) }
            self.entries.removeAll()
        }
        self.step = steps
    }

    /// Processor time of this thread in µs.
    private static var processorMicroseconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }

    /// What the process has allocated and not freed.
    private static var allocatedBytes: Int {
        let information = mallinfo2()
        return Int(information.uordblks + information.hblkhd)
    }
}

/// How often the store was asked.
private final class ReadCounter: Sendable {
    private let reads = Atomic(0)

    var count: Int { self.reads.load(ordering: .relaxed) }
    func note() { self.reads.add(1, ordering: .relaxed) }
    func reset() { self.reads.store(0, ordering: .relaxed) }
}

private struct CountingReader: SeriesReader {
    let base: CatalogReader
    let counter: ReadCounter

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        self.counter.note()
        return try self.base.select(request)
    }

    func selection(_ request: SelectRequest) throws -> any SelectedSeries {
        self.counter.note()
        return try self.base.selection(request)
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        self.counter.note()
        return try self.base.series(matching: matchers, after: after, through: through)
    }
}
