// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import HTTPAPI
import Logging
import SeriesStorage
import ServiceLifecycle
import Synchronization
import Telemetry

/// Makes the tests across series, of which a single reading knows nothing: neighbours, and copies of another series.
///
/// What they find is a revision of stored samples, which goes the way of readings: journal, series, rules, as late truth. It
/// needs no memory of its own: after a start it looks again, and what is flagged already is left. It looks at series that have
/// newer samples, or whose neighbours have, and each hour at all of them, for what came late.
final class QualityWatch: Service {
    /// How often it looks, where something was stored.
    private static let interval = Duration.seconds(10)
    /// How often it looks at all series, where something was stored.
    private static let fullInterval = Duration.seconds(3600)
    /// Ingest, rules and queries that people wait for come first.
    private static let niceness: Int32 = 10

    private let store: SeriesStore
    private let resolver: CatalogResolver
    private let processor: Processor
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let seen = Mutex(Seen())

    private struct Seen {
        var position = JournalPosition.start
        /// Where all series were looked at last.
        var fullPosition = JournalPosition.start
        var rounds = QualityRounds()
        var nextFull = ContinuousClock.now + QualityWatch.fullInterval
    }

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
                    try await onThread("poyang-quality") {
                        yieldToOthers(Self.niceness)
                        try self.look()
                    }
                } catch {
                    self.logger.error("values were not compared with their neighbours", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: Self.interval)
            }
        }
    }

    private func look() throws {
        let processed = self.processor.progress.processed
        var seen = self.seen.withLock { $0 }
        let now = ContinuousClock.now
        let isFull = now >= seen.nextFull && seen.fullPosition != processed
        guard isFull || seen.position != processed else { return }
        let catalog = self.resolver.catalog
        let reader = self.store.reader
        let review = QualityReview(catalog: catalog, reader: reader)
        let series = try self.series(catalog, reader)
        for due in try seen.rounds.due(series, review, in: reader, full: isFull) {
            let findings = try review.findings(of: due.series, from: due.from, through: .distantFuture)
            guard let last = findings.last else { continue }
            // What is older was judged when it came in, by the tests that were in force then.
            let changes = findings.filter { $0.isChange && $0.sample.time > last.sample.time - QualityRounds.reach }
            try self.processor.commit(revisions: changes, of: due.series, at: self.now())
        }
        seen.position = processed
        if isFull { (seen.fullPosition, seen.nextFull) = (processed, now + Self.fullInterval) }
        self.seen.withLock { $0 = seen }
    }

    /// The series that have tests across series.
    private func series(_ catalog: Catalog, _ reader: any SeriesReader) throws -> [Labels] {
        try catalog.sites.values.flatMap { site in
            try site.quality
                .filter { $0.value.parameters.neighbours != nil || $0.value.parameters.identical != nil }
                .flatMap { metric, _ in
                    let matchers = [
                        LabelMatcher(Labels.metricName, equals: metric), LabelMatcher("site", equals: site.id),
                    ]
                    return try reader.series(matching: matchers, after: .distantPast, through: .distantFuture)
                }
        }
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
