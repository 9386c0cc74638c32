// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Which stored doubts no test of a series takes back: those of its sender, and those that depths of rain have from the
/// readings of the counter they follow from.
///
/// A depth's mark names the test that its counter's reading failed, and the depth may be tested for the same. What the
/// counter shows tells them apart; where it shows nothing, a test that the depth is not put to was the counter's.
package struct StandingDoubt: Sendable {
    private let plan: QualityPlan
    private let counter: SeriesColumns?

    /// - Parameters:
    ///   - plan: The tests of the series.
    ///   - counter: The readings of the counter whose depths the series holds; nil where it has none, or is no depths.
    init(_ plan: QualityPlan, counter: SeriesColumns? = nil) {
        self.plan = plan
        self.counter = counter
    }

    /// The same with the counter's readings, which are read only where a mark of a series of depths asks for them.
    ///
    /// - Throws: When the store cannot be read.
    init(_ plan: QualityPlan, of columns: SeriesColumns, in reader: any SeriesReader) throws {
        self.plan = plan
        guard plan.testsDepth, let first = columns.times.first, let last = columns.times.last,
            columns.marks.contains(where: { $0.quality == .suspect && $0.failedTest != .sender })
        else {
            self.counter = nil
            return
        }
        let labels = columns.labels.with(Labels.metricName, RainCounter.metric)
        let request = SelectRequest(
            matchers: labels.matchers,
            extent: .window(after: first > .distantPast + .day ? first - .day : .distantPast, through: last),
            qualities: QualitySet.raising.union(QualitySet(.missing))
        )
        self.counter = try reader.select(request).first { $0.labels == labels }
    }

    /// Whether a stored mark is such a doubt.
    func holds(_ mark: SampleMark, at time: Timestamp) -> Bool {
        guard mark.quality == .suspect else { return false }
        guard mark.failedTest != .sender else { return true }
        guard self.plan.testsDepth, let test = mark.failedTest else { return false }
        guard let counter, let place = counter.times.place(of: time) else { return !self.plan.makes(test) }
        return counter.marks[max(place - 1, 0)...place].contains { $0.quality == .suspect }
    }
}

extension QualityPlan {
    /// Whether a value of the series can fail a test.
    fileprivate func makes(_ test: QualityTest) -> Bool {
        switch test {
        case .sender: false
        case .grossRange: self.testsDepth || self.parameters.grossRange != nil
        case .climatology: !self.climatology.isEmpty
        case .rateOfChange: self.testsRate
        case .spike: self.testsSpike
        case .flatLine: self.testsFlatLine
        case .gap: self.gap < .max
        case .neighbour: self.parameters.neighbours != nil
        case .identical: self.parameters.identical != nil
        }
    }
}

extension [Timestamp] {
    /// Where a moment is among rising ones; nil where it is not.
    fileprivate func place(of time: Timestamp) -> Int? {
        let place = QualityColumn.firstIndex(after: time, in: self) - 1
        return place >= 0 && self[place] == time ? place : nil
    }
}
