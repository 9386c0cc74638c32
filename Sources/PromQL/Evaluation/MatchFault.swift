// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Elements that could not be paired or named without ambiguity, and that an answer leaves out therefore.
///
/// Only where ``EvaluationOptions/confinesFaults`` asks for it; otherwise such an answer is an error, as in Prometheus.
package struct MatchFault: Hashable, Sendable {
    /// What the elements agree in: of elements of the answer that differ in none of these labels nothing is known.
    package let labels: Labels
    package let message: String

    package init(labels: Labels, message: String) {
        self.labels = labels
        self.message = message
    }

    /// What it means behind an operation that keeps some labels only.
    func reaching(_ keeps: (String) -> Bool) -> MatchFault {
        MatchFault(labels: Labels(sorted: self.labels.filter { keeps($0.name) }), message: self.message)
    }
}

extension Plan {
    /// Whether what this yields for elements with one value of a label depends on elements with that value alone.
    func keepsApart(_ label: String) -> Bool {
        switch self {
        case .vectorVector(let binary):
            let matching = binary.matching
            let isCompared = matching.isOn == matching.labels.contains(label)
            return isCompared && (matching.isOn || !matching.include.contains(label))
        case .aggregation(let aggregation):
            if case .countValues = aggregation.operation, case .string(label)? = aggregation.parameter { return false }
            return switch aggregation.grouping {
            case .by(let labels): labels.contains(label)
            case .without(let labels): !labels.contains(label)
            }
        case .call(let call):
            return switch call.function {
            case .scalar, .absent, .absentOverTime, .vector: false
            case .labelReplace, .labelJoin: call.text(1) != label
            case .histogramQuantile, .histogramFraction: label != "le"
            case .histogramQuantiles: label != "le" && label != call.text(1)
            default: true
            }
        case .number, .string, .negation, .instant, .window, .subquery, .scalarOperation, .vectorScalar, .scalarVector:
            return true
        }
    }
}
