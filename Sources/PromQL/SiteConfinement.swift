// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Finds out whether an expression can be evaluated for each site on its own.
enum SiteConfinement: Equatable {
    /// Depends on no series.
    case constant
    /// Every element carries the label `site` of the only site it depends on.
    case bySite
    /// Depends on one site, named in the selectors; the elements may have lost the label.
    case one(String)
    /// Elements depend on several sites, or nobody knows.
    case across

    private static let label = "site"

    static func confines(_ expression: Expression) -> Bool {
        self.of(expression) != .across
    }

    private static func of(_ expression: Expression) -> SiteConfinement {
        switch expression {
        case .number, .string: .constant
        case .selector(let selector):
            if let site = selector.matchers.first(where: { $0.name == self.label && $0.operation == .equal })?.value,
                !site.isEmpty
            {
                .one(site)
            } else {
                .bySite
            }
        case .subquery(let subquery): self.of(subquery.inner)
        case .parentheses(let inner), .unary(_, let inner): self.of(inner)
        case .binary(let binary): self.of(binary)
        case .aggregation(let aggregation): self.of(aggregation)
        case .call(let call): self.of(call)
        }
    }

    private static func of(_ aggregation: Aggregation) -> SiteConfinement {
        let inner = self.of(aggregation.inner)
        let parameter = aggregation.parameter.map(self.of) ?? .constant
        guard parameter == .constant else { return inner == parameter ? inner.afterLosingLabel : .across }
        if case .string(let written)? = aggregation.parameter?.unwrapped, written == self.label {
            return inner.afterLosingLabel
        }
        let keepsSite =
            switch aggregation.grouping {
            case .by(let labels): labels.contains(self.label)
            case .without(let labels): !labels.contains(self.label)
            }
        return keepsSite ? inner : inner.afterLosingLabel
    }

    private var afterLosingLabel: SiteConfinement { self == .bySite ? .across : self }

    private static func of(_ binary: BinaryOperation) -> SiteConfinement {
        let left = self.of(binary.left)
        let right = self.of(binary.right)
        switch (left, right) {
        case (.across, _), (_, .across): return .across
        case (.constant, .constant): return .constant
        case (.one(let first), .one(let second)): return first == second ? left : .across
        case (.one, .constant), (.constant, .one): return left == .constant ? right : left
        case (.bySite, .one), (.one, .bySite): return .across
        case (.bySite, .constant):
            let isPlain = binary.right.type == .scalar || binary.operation == .and || binary.operation == .unless
            return isPlain ? .bySite : .across
        case (.constant, .bySite):
            return binary.left.type == .scalar ? .bySite : .across
        case (.bySite, .bySite):
            let matching = binary.matching
            let comparesSite = matching.labels.contains(self.label) == matching.isOn
            let overwritesSite = matching.include.contains(self.label) && !matching.isOn
            return comparesSite && !overwritesSite ? .bySite : .across
        }
    }

    private static func of(_ call: FunctionCall) -> SiteConfinement {
        var result = SiteConfinement.constant
        for argument in call.arguments {
            let next = self.of(argument)
            switch (result, next) {
            case (.constant, _): result = next
            case (_, .constant): break
            case (.one(let first), .one(let second)) where first == second: break
            case (.one, _), (.bySite, _), (.across, _): return .across
            }
        }
        switch call.function {
        case .absent, .absentOverTime, .scalar: return result.afterLosingLabel
        case .labelReplace, .labelJoin:
            guard call.arguments.count > 1, case .string(let target) = call.arguments[1].unwrapped else {
                return .across
            }
            return target == self.label ? result.afterLosingLabel : result
        case .histogramQuantile: return result
        default: return result
        }
    }
}
