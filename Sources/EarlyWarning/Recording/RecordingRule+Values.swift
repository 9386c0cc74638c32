// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// What a recording rule gives at one time.
struct RecordedMoment {
    /// To be stored: the values, and an end for each series that the rule gave at the moment before and no longer gives.
    var samples: [(labels: Labels, sample: Sample)] = []
    /// The series that it gives.
    var series: Set<Labels> = []
}

extension RecordingRule {
    /// What a stored series must be like for the rule to read it.
    var patterns: [CompiledRule.Pattern] { CompiledRule.patterns(of: [self.expr]) }

    /// Whether its values at a site follow from the series of that site.
    var isPerSite: Bool { self.expr.isConfinedToSite && !self.patterns.isEmpty && !self.followsTime }

    /// Whether it may have a value where none of its series has, or reads alerts: only time says when.
    var followsTime: Bool { self.expr.expression.standsAlone || self.readsAlerts }

    /// What is to be stored of the rule at one time: as suspect as the worst that it rests on, and as simulated.
    ///
    /// `before` is what it gave at the moment before.
    ///
    /// - Throws: ``PromQLError``, and what the reader throws.
    func moment(at time: Timestamp, after before: Set<Labels>, _ reader: any SeriesReader) throws -> RecordedMoment {
        let evaluator = Evaluator(
            reader: reader,
            options: EvaluationOptions(qualities: .raising, roundsComparisons: true)
        )
        let result = try evaluator.instant(self.expr, at: time)
        let count = result.samples.count
        guard self.limit == 0 || count <= self.limit else {
            throw PromQLError.limit("'\(self.record)' exceeded limit of \(self.limit) with \(count) series")
        }
        let mark = SampleMark(
            quality: result.evidence.contains(.suspect) ? .suspect : .notEvaluated,
            method: result.evidence.contains(.interpolated) ? .interpolated : .measured,
            simulated: result.evidence.contains(.simulated)
        )
        var moment = RecordedMoment()
        for element in result.samples {
            var labels = element.labels.removing([Labels.metricName])
            if !labels.site.isEmpty { labels = labels.removing(Site.virtualLabelNames) }
            labels = labels.merging(self.labels).with(Labels.metricName, self.record)
            moment.samples.append((labels, Sample(time: time, value: element.value, mark: mark)))
            moment.series.insert(labels)
        }
        for labels in before.subtracting(moment.series).sorted() {
            moment.samples.append((labels, Sample(time: time, value: SeriesNotation.staleMarker, mark: mark)))
        }
        return moment
    }
}

extension Expression {
    /// Whether it may have a value where no series has one: a number, the time, what asks for absence.
    var standsAlone: Bool {
        switch self {
        case .number, .string: true
        case .selector: false
        case .subquery(let subquery): subquery.inner.standsAlone
        case .parentheses(let inner), .unary(_, let inner): inner.standsAlone
        case .binary(let binary):
            switch binary.operation {
            case .or: binary.left.standsAlone || binary.right.standsAlone
            case .unless: binary.left.standsAlone
            default: binary.left.standsAlone && binary.right.standsAlone
            }
        case .aggregation(let aggregation): aggregation.inner.standsAlone
        case .call(let call):
            switch call.function {
            // Of nothing a scalar is made that is no number.
            case .absent, .absentOverTime, .scalar: true
            default: call.arguments.allSatisfy(\.standsAlone)
            }
        }
    }
}
