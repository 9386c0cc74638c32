// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Logging
import SeriesStorage
import ServiceLifecycle
import Synchronization
import Telemetry

/// Makes the tests across series, of which a single reading knows nothing: neighbours, and copies of another series.
///
/// What they find is a revision of stored samples, which goes the way of readings: journal, series, rules, as late truth. It
/// needs no memory of its own: after a start it looks again, and what is flagged already is left.
final class QualityWatch: Service {
    /// How often it looks, where something was stored.
    private static let interval = Duration.seconds(10)
    /// Late readings and neighbours change flags so far back; beyond it `poyang qc run --apply` does.
    private static let reach: Milliseconds = 3 * .day

    private let store: SeriesStore
    private let resolver: CatalogResolver
    private let processor: Processor
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let newest = Mutex<[Labels: Timestamp]>([:])
    private let seen = Mutex(JournalPosition.start)

    init(
        store: SeriesStore,
        resolver: CatalogResolver,
        processor: Processor,
        now: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        self.store = store
        self.resolver = resolver
        self.processor = processor
        self.now = now
        self.logger = logger
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            await self.processor.caughtUp()
            while true {
                do {
                    try await onThread("poyang-quality") { try self.look() }
                } catch {
                    self.logger.error("values were not compared with their neighbours", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: Self.interval)
            }
        }
    }

    private func look() throws {
        let processed = self.processor.progress.processed
        guard self.seen.withLock({ seen in seen != processed }) else { return }
        let catalog = self.resolver.catalog
        for site in catalog.sites.values {
            for (metric, override) in site.quality
            where override.parameters.neighbours != nil || override.parameters.identical != nil {
                let matchers = [LabelMatcher(Labels.metricName, equals: metric), LabelMatcher("site", equals: site.id)]
                for series in try self.store.reader.series(
                    matching: matchers,
                    after: .distantPast,
                    through: .distantFuture
                ) {
                    try self.look(at: series, catalog)
                }
            }
        }
        self.seen.withLock { $0 = processed }
    }

    private func look(at series: Labels, _ catalog: Catalog) throws {
        let known = self.newest.withLock { $0[series] }
        let from = known.map { $0 - Self.reach } ?? .distantPast
        let review = QualityReview(catalog: catalog, reader: self.store.reader)
        let findings = try review.findings(of: series, from: from, through: .distantFuture)
        guard let last = findings.last else { return }
        self.newest.withLock { $0[series] = last.sample.time }
        // What is older was judged when it came in, by the tests that were in force then.
        let changes = findings.filter { $0.isChange && $0.sample.time > last.sample.time - Self.reach }
        try self.processor.commit(revisions: changes, of: series, at: self.now())
    }
}

extension Processor {
    /// Revisions in one entry of the journal, as many as readings in a large batch of ingest.
    static let revisionsAtOnce = 2000

    /// Journals other marks of stored samples; the rules see them as late truth.
    ///
    /// What an entry holds is stored whole or not at all; of many revisions some may be stored when this throws.
    func commit(revisions: [QualityReview.Finding], of series: Labels, at now: Timestamp) throws {
        let key = SeriesKey(labels: series)
        for start in stride(from: 0, to: revisions.count, by: Self.revisionsAtOnce) {
            var batch = ReadingBatch(receivedAt: now)
            batch.readings = revisions[start...].prefix(Self.revisionsAtOnce)
                .map { finding in
                    let sample = Sample(time: finding.sample.time, value: finding.sample.value, mark: finding.mark)
                    return ResolvedReading(series: key, sample: sample, hasOwnTime: true, isRevision: true)
                }
            try self.commit(batch)
        }
    }
}
