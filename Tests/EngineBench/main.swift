// poyang
// SPDX-License-Identifier: Apache-2.0

// Measures the way of a reading inside the process, stage by stage, on one thread: decode, resolve, commit, apply, judge,
// checkpoint. Prints processor time per message in µs, which other processes on the machine disturb less than the clock;
// under `valgrind --tool=callgrind` it counts instructions.
//
//     EngineBench DIRECTORY [MESSAGES] [SITES] [RULES] [BATCH]

import DeviceCatalog
import EarlyWarning
import Foundation
import PayloadCodecs
import SeriesStorage
import Telemetry

/// One site with five flood levels and five levels of rise, and one gauge.
func siteText(_ id: String) -> String {
    var lines = [
        "site: \(id)", "name: { zh: 测站, en: Site }", "kind: river", "org: bench", "basin: bench",
        "datum: { name: local, source: benchmark }", "thresholds:",
    ]
    let levels = ["notice", "blue", "yellow", "orange", "red"]
    let tables = [("flood", "m", [17, 18, 18.5, 19, 20]), ("flood_rise", "m/h", [0.5, 1, 1.5, 2, 3])]
    for (hazard, unit, values) in tables {
        for (level, value) in zip(levels, values) {
            lines.append(
                "  - { hazard: \(hazard), level: \(level), value: \(value), unit: \(unit), valid_from: 2000-01-01, "
                    + "authority: benchmark, source: benchmark, confidence: demo }"
            )
        }
    }
    lines += ["devices:", "  - { id: \(id)-1, model: bench/river, interval: 5m }", ""]
    return lines.joined(separator: "\n")
}

/// The level of a site in mm: a ripple, and at one site in a hundred a flood every twelve hours.
func millimeters(_ site: Int, _ step: Int) -> Int {
    let ripple = (site &* 7919 &+ step &* 104_729) % 61
    let phase = (step + site) % 144
    guard site % 100 == 7, phase < 24 else { return 15_000 + ripple }
    return 15_000 + ripple + min(phase, 24 - phase) * 500
}

/// Processor time of this thread in µs.
func processorMicroseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
}

/// A store, a catalogue and an engine, and what each stage has cost.
struct Bench {
    let ids: [String]
    let catalog: Catalog
    let resolver: CatalogResolver
    let store: SeriesStore
    let engine: RuleEngine
    let batchSize: Int
    var codec = NativeJSONCodec(limit: 1 << 20)
    var decoded = DecodedMessage()
    /// By stage, in µs.
    var spent: [String: Double] = [:]
    var transitions = 0
    private var untilCheckpoint = Bench.checkpointInterval

    /// About as often as a save without warnings comes at full speed.
    private static let checkpointInterval = 50_000
    private static let model = """
        model: bench/river
        name: A river gauge
        channels:
          water_level_meters: { key: water_level_meters, unit: m, min: -5, max: 100 }
        report: { every: 5m }

        """

    init(directory: String, sites: Int, rules: String, batchSize: Int) throws {
        self.ids = (0..<sites).map { "river-\($0 + 1000)" }
        let sources =
            [SourceText(path: "Devices/models/bench/river.yaml", text: Self.model)]
            + self.ids.map { SourceText(path: "Devices/sites/bench/\($0).yaml", text: siteText($0)) }
        let catalog = try Catalog(files: CatalogFiles.parse(sources), registered: .none, keys: SeriesKeyTable())
        self.catalog = catalog
        self.resolver = CatalogResolver(catalog: catalog)
        self.store = try SeriesStore(path: directory + "/samples.db", processed: .start)
        self.engine = RuleEngine(rules: try RuleFileLoader().load(paths: [rules]), clockMode: .data) { site in
            catalog.registeredChannels(at: site).map { WatchedChannel(series: $0.series.labels, schedule: $0.schedule) }
        }
        self.batchSize = batchSize
        _ = try self.engine.restore(
            alerts: [],
            clocks: [],
            reader: CatalogReader(base: self.store.reader, catalog: catalog)
        )
    }

    /// Feeds messages in batches.
    mutating func feed(_ numbers: Range<Int>) throws {
        var next = numbers.lowerBound
        while next < numbers.upperBound {
            let end = min(next + self.batchSize, numbers.upperBound)
            try self.take(next..<end)
            self.untilCheckpoint -= end - next
            next = end
            guard self.untilCheckpoint <= 0 else { continue }
            self.untilCheckpoint = Self.checkpointInterval
            let before = processorMicroseconds()
            _ = self.engine.checkpoint()
            self.note("checkpoint", since: before)
        }
    }

    /// Takes the messages of one batch through all stages.
    private mutating func take(_ numbers: Range<Int>) throws {
        let payloads = numbers.map { number in
            let (site, step) = (number % self.ids.count, number / self.ids.count)
            let time = 1_767_225_600_000 + step * 300_000
            let value = Double(millimeters(site, step)) / 1000
            let text =
                "{\"ts\":\(time),\"values\":{\"water_level_meters\":\(value)},\"quality\":{\"water_level_meters\":1}}"
            return (self.ids[site] + "-1", Array(text.utf8))
        }
        let last = 1_767_225_600_000 + Int64(numbers.upperBound / self.ids.count + 1) * 300_000
        var batch = ReadingBatch(receivedAt: Timestamp(milliseconds: last))
        batch.messages = numbers.count
        var before = processorMicroseconds()
        for (device, payload) in payloads {
            self.codec.decode(payload.span, into: &self.decoded)
            let refused = self.resolver.resolve(
                device: device,
                readings: self.decoded.readings,
                receivedAt: batch.receivedAt,
                into: &batch.readings
            )
            guard refused.isEmpty else { fatalError("refused: \(refused)") }
        }
        self.note("decode and resolve", since: before)
        before = processorMicroseconds()
        let entry = try self.store.commit(batch)
        self.note("commit", since: before)
        before = processorMicroseconds()
        let applied = try self.store.apply(entry).batch
        self.note("apply", since: before)
        before = processorMicroseconds()
        let reader = CatalogReader(base: self.store.reader, catalog: self.catalog)
        self.transitions += try self.engine.process(applied, reader: reader).count
        self.note("judge", since: before)
    }

    private mutating func note(_ stage: String, since before: Double) {
        self.spent[stage, default: 0] += processorMicroseconds() - before
    }
}

let arguments = CommandLine.arguments
guard arguments.count >= 2 else { fatalError("usage: EngineBench DIRECTORY [MESSAGES] [SITES] [RULES] [BATCH]") }
let messages = arguments.count > 2 ? Int(arguments[2]) ?? 200_000 : 200_000
let sites = arguments.count > 3 ? Int(arguments[3]) ?? 2000 : 2000
var bench = try Bench(
    directory: arguments[1],
    sites: sites,
    rules: arguments.count > 4 ? arguments[4] : "Rules",
    batchSize: arguments.count > 5 ? Int(arguments[5]) ?? 120 : 120
)
// Every site reports some hours before, so that all series are there and all windows full.
try bench.feed(0..<sites * 14)
bench.spent.removeAll()
bench.transitions = 0
let before = bench.engine.counters.evaluations
try bench.feed(sites * 14..<sites * 14 + messages)
for (name, microseconds) in bench.spent.sorted(by: { $0.key < $1.key }) {
    print(name, String(format: "%.3f", microseconds / Double(messages)), "µs")
}
let evaluations = Double(bench.engine.counters.evaluations - before) / Double(messages)
print("evaluations", String(format: "%.2f", evaluations), "transitions", bench.transitions)
