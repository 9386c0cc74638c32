// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Evaluation {
    /// Shorter windows are read as samples.
    private static let shortest = 6 * Milliseconds.hour

    /// A function over a long window from what the reader knows of it without its samples.
    ///
    /// Only for an instant query whose evidence nobody asks for; nil where the samples must be read.
    func summarized(_ plan: CallPlan, at time: Timestamp) throws -> [Element]? {
        guard self.options.usesSummaries, self.isInstant, plan.arguments.count == 1,
            case .window(let selector) = plan.arguments[0], !selector.isInSubquery, !selector.readsBorder,
            let length = selector.selector.window, length >= Self.shortest,
            let value = Self.summary(plan.function)
        else { return nil }
        let through = self.moment(selector.selector.modifiers, at: time)
        let request = SelectRequest(
            matchers: selector.matchers,
            extent: .window(after: through - length, through: through),
            qualities: selector.qualities ?? self.options.qualities
        )
        guard let summaries = try self.reader.summaries(request) else { return nil }
        // A sum beyond the range of doubles may have an average inside of it, which takes all samples to find.
        let isOverflown = summaries.contains { $0.sum.isInfinite && $0.minimum.isFinite && $0.maximum.isFinite }
        if plan.function == .avgOverTime, isOverflown { return nil }
        let keepsName = plan.function == .lastOverTime || plan.function == .firstOverTime
        return summaries.map { Element(labels: $0.labels, value: value($0), dropsName: !keepsName) }
    }

    private static func summary(_ function: Function) -> ((SeriesSummary) -> Double)? {
        switch function {
        case .sumOverTime: { $0.sum }
        case .avgOverTime: { $0.sum / Double($0.count) }
        case .minOverTime: { $0.minimum }
        case .maxOverTime: { $0.maximum }
        case .countOverTime: { Double($0.count) }
        case .firstOverTime: { $0.first }
        case .lastOverTime: { $0.last }
        case .presentOverTime: { _ in 1 }
        default: nil
        }
    }
}
