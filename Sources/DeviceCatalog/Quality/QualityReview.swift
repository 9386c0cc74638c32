// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// The tests over what is stored, those across series among them.
///
/// Pure but for the reader: the same samples have the same flags, whenever it is asked.
package struct QualityReview: Sendable {
    /// A sample, and the mark that its tests give it.
    package struct Finding: Sendable {
        package var sample: Sample
        package var mark: SampleMark

        /// Whether the tests say something else than what is stored.
        package var isChange: Bool { !self.sample.mark.hasQuality(of: self.mark) }
    }

    /// How far back a copy of another series is followed.
    private static let longestCopy: Milliseconds = 400 * .day

    private let catalog: Catalog
    private let reader: any SeriesReader

    /// `reader` shows the stored series.
    package init(catalog: Catalog, reader: any SeriesReader) {
        self.catalog = catalog
        self.reader = reader
    }

    /// The samples of a stored series in `[from, through]`, each with its mark; empty where nothing is tested.
    ///
    /// - Throws: When the store cannot be read.
    package func findings(of series: Labels, from: Timestamp, through: Timestamp) throws -> [Finding] {
        guard let plan = self.catalog.qualityPlan(of: series) else { return [] }
        // The value behind the last one tells whether that was a spike.
        let end = through > .distantFuture - plan.reach ? Timestamp.distantFuture : through + plan.reach
        var spans: [Milliseconds] = [4 * plan.reach, 60 * .day]
        if plan.parameters.identical != nil { spans = [60 * .day, Self.longestCopy] }
        let starts = from < .distantPast + Self.longestCopy ? [.distantPast] : spans.map { from - $0 } + [.distantPast]
        for after in starts {
            guard let columns = try self.columns(series, after: after, through: end, .all) else { continue }
            let doubt = try StandingDoubt(plan, of: columns, in: self.reader)
            guard after == .distantPast || self.isSettled(columns, before: from, plan, doubt) else { continue }
            let marks = try self.marks(of: columns, series, plan, doubt, after: after, through: end)
            return columns.times.indices.compactMap { index in
                let time = columns.times[index]
                guard time >= from, time <= through else { return nil }
                let sample = Sample(time: time, value: columns.values[index], mark: columns.marks[index])
                return Finding(sample: sample, mark: marks[index])
            }
        }
        return []
    }

    private func columns(
        _ series: Labels,
        after: Timestamp,
        through: Timestamp,
        _ qualities: QualitySet
    ) throws -> SeriesColumns? {
        let request = SelectRequest(
            matchers: series.matchers,
            extent: .window(after: after, through: through),
            qualities: qualities
        )
        return try self.reader.select(request).first { $0.labels == series }
    }

    private func isSettled(
        _ columns: SeriesColumns,
        before from: Timestamp,
        _ plan: QualityPlan,
        _ doubt: StandingDoubt
    ) -> Bool {
        var state = QualityState()
        for index in columns.times.indices where columns.times[index] < from {
            guard QualityFlags.isTested(columns.marks[index]), columns.values[index].isFinite else { continue }
            let isDoubted = doubt.holds(columns.marks[index], at: columns.times[index])
            _ = state.take(columns.values[index], at: columns.times[index], isDoubted: isDoubted, plan)
        }
        return state.isSettled(plan)
    }

    private func marks(
        of columns: SeriesColumns,
        _ series: Labels,
        _ plan: QualityPlan,
        _ doubt: StandingDoubt,
        after: Timestamp,
        through: Timestamp
    ) throws -> [SampleMark] {
        var marks = QualityFlags.marks(
            times: columns.times,
            values: columns.values,
            marks: columns.marks,
            plan: plan,
            doubt: doubt
        )
        let own = QualityColumn(times: columns.times, values: columns.values)
        func other(_ site: String, _ start: Timestamp) throws -> QualityColumn {
            let found = try self.columns(series.with("site", site), after: start, through: through, .raising)
            return QualityColumn(times: found?.times ?? [], values: found?.values ?? [])
        }
        func flag(_ fails: [Bool], _ test: QualityTest) {
            for index in marks.indices where fails[index] && QualityFlags.isTested(columns.marks[index]) {
                guard marks[index].quality == .pass || marks[index].quality == .notEvaluated else { continue }
                marks[index] = marks[index].withQuality(of: SampleMark(failed: test))
            }
        }
        if let neighbours = plan.parameters.neighbours {
            let start = after == .distantPast ? after : after - neighbours.age
            let others = try neighbours.others.map { try other($0.site, start) }
            flag(NeighbourTest.fails(own, others: others, parameters: neighbours), .neighbour)
        }
        if let identical = plan.parameters.identical {
            for site in identical.sites {
                flag(IdenticalTest.fails(own, other: try other(site, after), changes: identical.changes), .identical)
            }
        }
        return marks
    }
}
