// poyang
// SPDX-License-Identifier: Apache-2.0

/// Which samples of the matching series are wanted.
package enum SelectExtent: Hashable, Sendable {
    /// Those in `(after, through]`.
    case window(after: Timestamp, through: Timestamp)
    /// Those in `(from − the series' own look-back, through]`: what an instant selector at `from`…`through` can see.
    case lookback(from: Timestamp, through: Timestamp)

    /// The newest moment that is wanted.
    package var through: Timestamp {
        switch self {
        case .window(_, let through), .lookback(_, let through): through
        }
    }
}

/// What a selector of a query asks of the store.
package struct SelectRequest: Sendable {
    /// All of them hold for each series; one of them is usually `__name__`.
    package var matchers: [LabelMatcher]
    package var extent: SelectExtent
    package var qualities: QualitySet
    /// Whether ``SelectedSeries/summaries(of:in:)`` will be asked for: the store then looks for it in another place.
    package var summarizes: Bool

    package init(
        matchers: [LabelMatcher],
        extent: SelectExtent,
        qualities: QualitySet = .trusted,
        summarizes: Bool = false
    ) {
        self.matchers = matchers
        self.extent = extent
        self.qualities = qualities
        self.summarizes = summarizes
    }
}

/// The samples of one series in columns of equal length, times strictly rising.
package struct SeriesColumns: Sendable {
    /// With the metric name and, where the site is registered, its virtual labels.
    package var labels: Labels
    package var times: [Timestamp]
    package var values: [Double]
    package var marks: [SampleMark]
    /// How long a value stands for the present, in ms.
    package var lookback: Milliseconds
    /// For series that are computed, not stored (thresholds): when the value after the last one shown begins or
    /// the series ends; nil for stored series, whose end follows from their samples.
    package var nextChange: Timestamp?

    package init(
        labels: Labels,
        times: [Timestamp],
        values: [Double],
        marks: [SampleMark],
        lookback: Milliseconds = ReportSchedule.unregisteredLookback,
        nextChange: Timestamp? = nil
    ) {
        self.labels = labels
        self.times = times
        self.values = values
        self.marks = marks
        self.lookback = lookback
        self.nextChange = nextChange
    }
}

/// A view of the series at one moment.
package protocol SeriesReader: Sendable {
    /// The series that match, each with the wanted samples; series without any are left out. Order is not defined.
    ///
    /// - Throws: When the store cannot be read.
    func select(_ request: SelectRequest) throws -> [SeriesColumns]

    /// The same, to be read series by series: a query over many of them need not hold all their samples at once.
    ///
    /// - Throws: When the store cannot be read.
    func selection(_ request: SelectRequest) throws -> any SelectedSeries

    /// The labels of the series that match all of `matchers` and have samples in `(after, through]`.
    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels]
}

extension SeriesReader {
    package func selection(_ request: SelectRequest) throws -> any SelectedSeries {
        ListedSelection(try self.select(request))
    }
}
