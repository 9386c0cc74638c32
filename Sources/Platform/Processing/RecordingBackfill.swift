// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import EarlyWarning
import Logging
import SeriesStorage
import ServiceLifecycle
import Telemetry

/// Computes what recording rules that are new, or others than before, would have recorded of the history that is stored.
///
/// Works on a thread of its own, rule after rule, and notes each that is done, so that a stop costs one rule at most. What it
/// stores is not judged by the rules; what arrives meanwhile is recorded as ever, with the same values.
final class RecordingBackfill: Service {
    /// Samples that are stored together.
    private static let batch = 100_000

    private let store: SeriesStore
    private let records: CatalogStore
    private let resolver: CatalogResolver
    private let processor: Processor
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let wishes = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(
        store: SeriesStore,
        records: CatalogStore,
        resolver: CatalogResolver,
        processor: Processor,
        now: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        self.store = store
        self.records = records
        self.resolver = resolver
        self.processor = processor
        self.now = now
        self.logger = logger
    }

    /// Other rules may be in force.
    func want() { self.wishes.continuation.yield() }

    func run() async throws {
        self.want()
        await cancelWhenGracefulShutdown {
            await self.processor.caughtUp()
            for await _ in self.wishes.stream {
                do {
                    try await self.fill()
                } catch {
                    self.logger.error("recording rules were not back-filled", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    private func fill() async throws {
        let rules = try await self.processor.look { $0.rules.recordings }
        let done = Set(try self.records.clocks())
        for rule in rules.inOrderOfUse where !done.contains(rule.mark) {
            guard !Task.isCancelled else { return }
            let count = try await onThread("poyang-record") { try self.fill(rule, of: rules) }
            if count > 0 {
                self.logger.notice("back-filled", metadata: ["rule": "\(rule.record)", "samples": "\(count)"])
            }
            let now = self.now()
            try await self.processor.perform { try $0.note(rule.mark, at: now) }
        }
    }

    /// - Returns: How many samples were computed.
    private func fill(_ rule: RecordingRule, of rules: [RecordingRule]) throws -> Int {
        let catalog = self.resolver.catalog
        let reader = RecordedSeries(rules, channels: catalog.watchedChannels)
            .over(CatalogReader(base: self.store.reader, catalog: catalog))
        var pending = SampleGroups()
        var count = 0
        let now = self.now()
        func flush() throws {
            guard pending.count > 0 else { return }
            count += pending.count
            let prepared = self.store.prepareImport(pending.take())
            _ = try self.processor.commitImport(prepared, mark: nil)
        }
        for site in try Recorder.sites(of: rule, reader) {
            try Recorder.eachValue(of: rule, at: site, through: now, reader) { labels, sample in
                pending.add(labels, sample)
                if pending.count >= Self.batch { try flush() }
            }
        }
        try flush()
        return count
    }
}

/// Samples by their series, on the way to an import.
private struct SampleGroups {
    private var groups: [Labels: SeriesSamples] = [:]
    private(set) var count = 0

    mutating func add(_ labels: Labels, _ sample: Sample) {
        self.groups[labels, default: SeriesSamples(labels: labels, times: [], values: [], marks: [])].append(sample)
        self.count += 1
    }

    mutating func take() -> [SeriesSamples] {
        defer { self = SampleGroups() }
        return self.groups.values.sorted { $0.labels < $1.labels }
    }
}

extension SeriesSamples {
    fileprivate mutating func append(_ sample: Sample) {
        self.times.append(sample.time)
        self.values.append(sample.value)
        self.marks.append(sample.mark.rawValue)
    }
}

extension RecordingRule {
    /// What is saved when the rule has been back-filled: another expression makes another mark.
    fileprivate var mark: ClockRow {
        ClockRow(
            key: "recording/\(self.group)/\(self.record)\(self.labels)",
            json: "\(self.expr) every \(self.interval)"
        )
    }
}
