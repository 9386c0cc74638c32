// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Finds out whether an expression can be evaluated for each site on its own.
enum SiteConfinement: Equatable {
    /// Depends on no series.
    case constant
    /// Every element carries the label `site` of the only site it depends on.
    case bySite
    /// Depends on one site, named in the selectors; the elements carry its label, or have lost it.
    case one(String, carriesLabel: Bool)
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
                .one(site, carriesLabel: true)
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
        guard parameter == .constant else {
            return inner.site != nil && inner.site == parameter.site ? inner.afterLosingLabel : .across
        }
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

    private var afterLosingLabel: SiteConfinement {
        switch self {
        case .bySite: .across
        case .one(let site, _): .one(site, carriesLabel: false)
        case .constant, .across: self
        }
    }

    private var carriesLabel: Bool {
        switch self {
        case .bySite: true
        case .one(_, let carriesLabel): carriesLabel
        case .constant, .across: false
        }
    }

    private var site: String? {
        if case .one(let site, _) = self { site } else { nil }
    }

    private static func of(_ binary: BinaryOperation) -> SiteConfinement {
        let left = self.of(binary.left)
        let right = self.of(binary.right)
        if left == .across || right == .across { return .across }
        if left == .constant || right == .constant { return self.ofConstant(binary, left, right) }
        let keepsLabel = left.carriesLabel && right.carriesLabel && self.comparesSite(binary.matching)
        if let site = left.site, site == right.site { return .one(site, carriesLabel: keepsLabel) }
        return keepsLabel ? .bySite : .across
    }

    /// One side reads no series.
    private static func ofConstant(
        _ binary: BinaryOperation,
        _ left: SiteConfinement,
        _ right: SiteConfinement
    ) -> SiteConfinement {
        let other = left == .constant ? right : left
        if other == .constant { return .constant }
        if binary.left.type == .scalar || binary.right.type == .scalar { return other }
        if right == .constant, binary.operation == .and || binary.operation == .unless { return other }
        return other.afterLosingLabel
    }

    /// Whether elements find each other only inside a site, and keep its label.
    private static func comparesSite(_ matching: VectorMatching) -> Bool {
        let isCompared = matching.labels.contains(self.label) == matching.isOn
        let isOverwritten = matching.include.contains(self.label) && !matching.isOn
        return isCompared && !isOverwritten
    }

    private static func of(_ call: FunctionCall) -> SiteConfinement {
        var result = SiteConfinement.constant
        for argument in call.arguments {
            let next = self.of(argument)
            if result == .constant {
                result = next
            } else if next != .constant {
                guard let site = result.site, site == next.site else { return .across }
                result = .one(site, carriesLabel: false)
            }
        }
        switch call.function {
        case .absent, .absentOverTime, .scalar: return result.afterLosingLabel
        case .labelReplace, .labelJoin, .histogramQuantiles:
            guard call.arguments.count > 1, case .string(let target) = call.arguments[1].unwrapped else {
                return .across
            }
            return target == self.label ? result.afterLosingLabel : result
        default: return result
        }
    }
}
