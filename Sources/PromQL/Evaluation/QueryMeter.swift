// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// What one query may take.
///
/// A query that needs more is refused, so that memory stays bounded.
package struct QueryLimits: Hashable, Sendable {
    /// Samples read from the store.
    package var samples = 500_000_000
    /// Values held at once: series times steps.
    package var points = 20_000_000
    /// Series that one selector finds.
    package var series = 1_000_000
    /// Steps after the first of a range query; Prometheus's own limit.
    package var steps = 11_000
    /// Steps that all subqueries take together.
    package var subquerySteps = 10_000_000

    package init() {}
}

/// What all queries that run at once may hold together.
package final class QueryPool: Sendable {
    private let capacity: Int
    private let used = Atomic<Int>(0)

    /// - Parameter points: Values, 8 bytes each.
    package init(points: Int) { self.capacity = points }

    /// False where so many more do not fit; none are taken then.
    fileprivate func take(_ points: Int) -> Bool {
        if self.used.wrappingAdd(points, ordering: .relaxed).newValue <= self.capacity { return true }
        self.give(points)
        return false
    }

    fileprivate func give(_ points: Int) { self.used.wrappingSubtract(points, ordering: .relaxed) }
}

/// Ends a query that runs, from another thread.
package final class QueryStop: Sendable {
    package enum Reason: UInt8, Sendable {
        /// Nobody waits for the answer any more.
        case canceled = 1
        case timeout = 2
    }

    private let reason = Atomic<UInt8>(0)
    private let pause: (@Sendable () -> Void)?

    /// - Parameter pause: Called between two series, on the thread that evaluates them; may let others go first.
    package init(pause: (@Sendable () -> Void)? = nil) { self.pause = pause }

    /// The first reason stays.
    package func stop(_ reason: Reason) {
        _ = self.reason.compareExchange(expected: 0, desired: reason.rawValue, ordering: .relaxed)
    }

    /// Lets others go first where they should; called between two pieces of work.
    ///
    /// - Throws: ``PromQLError`` where the query was stopped.
    @inline(__always)
    package func check() throws(PromQLError) {
        self.pause?()
        let now = self.reason.load(ordering: .relaxed)
        if now != 0 { throw Self.error(Reason(rawValue: now) ?? .canceled) }
    }

    private static func error(_ reason: Reason) -> PromQLError {
        switch reason {
        case .canceled: PromQLError(.canceled, "query was canceled in expression evaluation")
        case .timeout:
            PromQLError(
                .timeout,
                "query timed out in expression evaluation",
                hint: "ask for a longer step, a shorter time or fewer series"
            )
        }
    }
}

/// Counts what one query takes; shared by the threads that work on it, and kept as long as its answer.
final class QueryMeter: Sendable {
    private let limits: QueryLimits
    private let stop: QueryStop?
    private let pool: QueryPool?
    private let samples = Atomic<Int>(0)
    private let points = Atomic<Int>(0)
    /// What was taken from the pool.
    private let pooled = Atomic<Int>(0)

    init(_ options: EvaluationOptions) {
        self.limits = options.limits
        self.stop = options.stop
        self.pool = options.pool
    }

    deinit { self.pool?.give(self.pooled.load(ordering: .relaxed)) }

    /// - Throws: ``PromQLError`` where the query was stopped.
    @inline(__always)
    func check() throws(PromQLError) { try self.stop?.check() }

    /// Counts samples that were read.
    func read(samples: Int) throws(PromQLError) {
        let total = self.samples.wrappingAdd(samples, ordering: .relaxed).newValue
        guard total <= self.limits.samples else {
            throw PromQLError(
                .limit,
                "query processing would load too many samples into memory in query execution",
                hint: "the limit is \(self.limits.samples); ask for a shorter time or fewer series"
            )
        }
    }

    /// Counts the values that the rows of a selector take.
    func hold(series: Int, steps: Int) throws(PromQLError) {
        guard series <= self.limits.series else {
            throw PromQLError(
                .limit,
                "the selector finds \(series) series, more than \(self.limits.series)",
                hint: "name a metric, or more labels"
            )
        }
        let (more, overflow) = series.multipliedReportingOverflow(by: steps)
        let total = overflow ? Int.max : self.points.wrappingAdd(more, ordering: .relaxed).newValue
        guard total <= self.limits.points else {
            throw PromQLError(
                .limit,
                "query processing would load too many samples into memory in query execution",
                hint: "\(series) series at \(steps) steps, and at most \(self.limits.points) values are held at once; "
                    + "ask for a longer step, a shorter time or fewer series"
            )
        }
        guard let pool = self.pool else { return }
        guard pool.take(more) else {
            throw PromQLError(
                .busy,
                "other queries hold what memory there is for queries",
                hint: "ask again later, or for a longer step, a shorter time or fewer series"
            )
        }
        self.pooled.wrappingAdd(more, ordering: .relaxed)
    }
}

/// One series of a selector, read as samples or as summaries.
struct RowSource: Sendable {
    let selection: any SelectedSeries
    let index: Int
    let meter: QueryMeter

    func columns() throws -> SeriesColumns? {
        guard let columns = try self.selection.columns(of: self.index) else { return nil }
        try self.meter.read(samples: columns.times.count)
        return columns
    }

    func summaries(in windows: [TimeWindow]) throws -> SummarizedSeries? {
        try self.selection.summaries(of: self.index, in: windows)
    }
}
