// poyang
// SPDX-License-Identifier: Apache-2.0

/// The series that a request matches at one moment, each read when it is asked for.
///
/// Safe to use from several threads at once.
package protocol SelectedSeries: Sendable {
    /// How many series may have samples.
    var count: Int { get }

    /// The wanted samples of one series; nil where it has none.
    ///
    /// - Throws: When the store cannot be read.
    func columns(of index: Int) throws -> SeriesColumns?

    /// What the samples of one series come to in each of `windows`, read as far as that is not known without.
    ///
    /// - Parameters:
    ///   - index: Which series.
    ///   - windows: Inside the request's extent.
    /// - Returns: Nil where nothing is known without reading the samples, and where a NaN is among them.
    /// - Throws: When the store cannot be read.
    func summaries(of index: Int, in windows: [TimeWindow]) throws -> SummarizedSeries?
}

extension SelectedSeries {
    package func summaries(of index: Int, in windows: [TimeWindow]) throws -> SummarizedSeries? { nil }
}

/// The times later than `after` and not later than `through`.
package struct TimeWindow: Hashable, Sendable {
    package var after: Timestamp
    package var through: Timestamp

    package init(after: Timestamp, through: Timestamp) {
        self.after = after
        self.through = through
    }
}

/// What the samples of one series come to in successive windows.
package struct SummarizedSeries: Sendable {
    /// As in ``SeriesColumns``.
    package var labels: Labels
    /// One for each window; nil where it holds no sample.
    package var summaries: [SeriesSummary?]

    package init(labels: Labels, summaries: [SeriesSummary?]) {
        self.labels = labels
        self.summaries = summaries
    }
}

/// What the samples of one series in a window come to; none is NaN.
package struct SeriesSummary: Sendable {
    /// At least 1.
    package var count: Int
    /// Of decimals the exact sum, rounded once.
    package var sum: Double
    package var minimum: Double
    package var maximum: Double
    package var first: Double
    package var last: Double

    package init(count: Int, sum: Double, minimum: Double, maximum: Double, first: Double, last: Double) {
        self.count = count
        self.sum = sum
        self.minimum = minimum
        self.maximum = maximum
        self.first = first
        self.last = last
    }
}

/// Series whose samples are at hand.
package struct ListedSelection: SelectedSeries {
    private let series: [SeriesColumns]

    package init(_ series: [SeriesColumns]) { self.series = series }

    package var count: Int { self.series.count }
    package func columns(of index: Int) -> SeriesColumns? { self.series[index] }
}

/// The series of two selections, one after the other.
package struct JoinedSelection: SelectedSeries {
    private let first: any SelectedSeries
    private let second: any SelectedSeries

    package init(first: any SelectedSeries, second: any SelectedSeries) {
        self.first = first
        self.second = second
    }

    package var count: Int { self.first.count + self.second.count }

    package func columns(of index: Int) throws -> SeriesColumns? {
        index < self.first.count
            ? try self.first.columns(of: index) : try self.second.columns(of: index - self.first.count)
    }

    package func summaries(of index: Int, in windows: [TimeWindow]) throws -> SummarizedSeries? {
        index < self.first.count
            ? try self.first.summaries(of: index, in: windows)
            : try self.second.summaries(of: index - self.first.count, in: windows)
    }
}
