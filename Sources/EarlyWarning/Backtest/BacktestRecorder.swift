// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// What the recording rules that alerts read would have recorded, while history is played.
///
/// It takes the place of what is stored under the same names: those values may be of other rules. Values are made of a
/// slice of samples after the other, and kept until the end.
final class BacktestRecorder {
    private let recorder: Recorder
    private let series: RecordedSeries
    private let recorded = MemorySeries()
    let names: Set<String>
    /// The conditions of what they read.
    let patterns: [CompiledRule.Pattern]
    /// How long before the first moment they must begin, so that every window is whole.
    let lead: Milliseconds

    init(_ rules: RuleSet, channels: @escaping RecordedSeries.Channels) throws {
        let queries = rules.alerts.flatMap { [$0.expr, $0.clear, $0.maybe].compactMap { $0 } }
        let needed = rules.recordings.inOrderOfUse.needed(by: CompiledRule.patterns(of: queries))
        self.recorder = try Recorder(rules: needed)
        self.series = RecordedSeries(needed, channels: channels)
        self.names = Set(needed.map(\.record))
        self.patterns = needed.flatMap(\.patterns)
        let lookback = max(ReportSchedule.unregisteredLookback, channels(nil).map(\.lookback).max() ?? 0)
        let reaches = [queries.map(\.reach).max() ?? 0] + needed.map { $0.expr.reach + $0.interval }
        self.lead = needed.isEmpty ? 0 : reaches.reduce(0) { $0 + $1 + lookback }
    }

    var isEmpty: Bool { self.names.isEmpty }

    /// What is stored, with what was recorded in its place, as `view` shows it.
    func over(
        _ base: any SeriesReader,
        _ view: (any SeriesReader) -> any SeriesReader
    ) -> any SeriesReader {
        guard !self.isEmpty else { return view(base) }
        return self.series.over(view(RecordedReader(base: base, recorded: self.recorded, names: self.names)))
    }

    /// Records what follows from the samples of a slice of time, or `afterAlerts` from what was judged of it.
    ///
    /// - Returns: The values, to be judged with the samples.
    func record(
        _ samples: [AppliedSample],
        during time: ClosedRange<Timestamp>,
        afterAlerts: Bool = false,
        reader: any SeriesReader
    ) throws -> [AppliedSample] {
        guard afterAlerts ? self.recorder.readsAlerts : !self.isEmpty else { return [] }
        return try self.recorder.record(samples, during: time, afterAlerts: afterAlerts, reader: reader) {
            self.recorded.insert($0, $1)
        }
    }
}

/// Shows recorded series instead of those that are stored under their names.
private struct RecordedReader: SeriesReader {
    let base: any SeriesReader
    let recorded: MemorySeries
    let names: Set<String>

    /// The one name that is asked for; nil where several may be.
    private func name(_ matchers: [LabelMatcher]) -> String? {
        matchers.first { $0.name == Labels.metricName && $0.operation == .equal }?.value
    }

    func select(_ request: SelectRequest) throws -> [SeriesColumns] {
        guard let name = self.name(request.matchers) else {
            return try self.base.select(request).filter { !self.names.contains($0.labels.metric) }
                + self.recorded.select(request)
        }
        return try self.names.contains(name) ? self.recorded.select(request) : self.base.select(request)
    }

    func selection(_ request: SelectRequest) throws -> any SelectedSeries {
        if let name = self.name(request.matchers), !self.names.contains(name) {
            return try self.base.selection(request)
        }
        return ListedSelection(try self.select(request))
    }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        try self.base.series(matching: matchers, after: after, through: through)
            .filter { !self.names.contains($0.metric) }
            + self.recorded.series(matching: matchers, after: after, through: through)
    }
}
