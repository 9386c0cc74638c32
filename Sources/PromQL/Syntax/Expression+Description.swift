// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Expression: CustomStringConvertible {
    /// Canonical text: it parses back to the same expression.
    package var description: String {
        switch self {
        // A sign would bind the power that may follow.
        case .number(let value): value == .infinity ? "Inf" : NumberText.text(value)
        case .string(let text): NumberText.quoted(text)
        case .selector(let selector): selector.description
        case .subquery(let subquery): subquery.description
        case .parentheses(let inner): "(\(inner))"
        case .unary(let negates, let inner): (negates ? "-" : "+") + inner.description
        case .binary(let binary): binary.description
        case .aggregation(let aggregation): aggregation.description
        case .call(let call):
            call.function.rawValue + "(" + call.arguments.map(\.description).joined(separator: ", ") + ")"
        }
    }
}

extension Subquery: CustomStringConvertible {
    package var description: String {
        let window = self.windowFormula?.description ?? PrometheusDuration.text(self.window)
        let step = self.stepFormula?.description ?? self.step.map(PrometheusDuration.text) ?? ""
        return "\(self.inner)[\(window):\(step)]" + self.modifiers.description
    }
}

extension Selector: CustomStringConvertible {
    package var description: String {
        // Before the braces it is the only condition on the name.
        let isOnlyName = self.matchers.count { $0.name == Labels.metricName } == 1
        let name = self.matchers.first.flatMap { matcher in
            isOnlyName && matcher.name == Labels.metricName && matcher.operation == .equal
                && matcher.value.isPlainMetricName ? matcher.value : nil
        }
        let conditions = self.matchers.dropFirst(name == nil ? 0 : 1)
        let isLoneQuotedName =
            name == nil && conditions.first?.name == Labels.metricName && conditions.first?.operation == .equal
        var texts: [String] = []
        for (index, matcher) in conditions.enumerated() {
            if index == 0, isLoneQuotedName {
                texts.append(NumberText.quoted(matcher.value))
            } else {
                texts.append(labelText(matcher.name) + matcher.operation.rawValue + NumberText.quoted(matcher.value))
            }
        }
        let braces = texts.isEmpty && name != nil ? "" : "{" + texts.joined(separator: ",") + "}"
        let window = self.window.map { "[\(self.windowFormula?.description ?? PrometheusDuration.text($0))]" } ?? ""
        let borders = self.borders.map { " \($0.rawValue)" } ?? ""
        return (name ?? "") + braces + window + self.modifiers.description + borders
    }
}

extension TimeModifiers: CustomStringConvertible {
    package var description: String {
        var text = ""
        switch self.at {
        case nil: break
        case .start: text += " @ start()"
        case .end: text += " @ end()"
        case .time(let moment):
            let (seconds, rest) = moment.milliseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
            let fraction = "\(rest)"
            text += " @ \(moment.milliseconds < 0 ? "-" : "")\(seconds)."
            text += String(repeating: "0", count: 3 - fraction.count) + fraction
        }
        if let formula = self.offsetFormula {
            text += " offset \(formula.offsetText)"
        } else if self.offset != 0 {
            text += " offset \(PrometheusDuration.text(self.offset))"
        }
        return text
    }
}

extension BinaryOperation: CustomStringConvertible {
    package var description: String {
        var text = "\(self.left) \(self.operation.rawValue)"
        if self.returnsBool { text += " bool" }
        let matching = self.matching
        if matching.isOn || !matching.labels.isEmpty || matching.cardinality != .oneToOne {
            text += (matching.isOn ? " on " : " ignoring ") + labelList(matching.labels)
        }
        switch matching.cardinality {
        case .oneToOne: break
        case .manyToOne: text += " group_left " + labelList(matching.include)
        case .oneToMany: text += " group_right " + labelList(matching.include)
        }
        return text + matching.fill.description + " \(self.right)"
    }
}

extension VectorMatching.Fill: CustomStringConvertible {
    package var description: String {
        if let left, left.bitPattern == self.right?.bitPattern { return " fill (\(NumberText.text(left)))" }
        let left = self.left.map { " fill_left (\(NumberText.text($0)))" }
        let right = self.right.map { " fill_right (\(NumberText.text($0)))" }
        return (left ?? "") + (right ?? "")
    }
}

extension Aggregation: CustomStringConvertible {
    package var description: String {
        let grouping =
            switch self.grouping {
            case .by(let labels): labels.isEmpty ? "" : " by " + labelList(labels) + " "
            case .without(let labels): " without " + labelList(labels) + " "
            }
        let parameter = self.parameter.map { "\($0), " } ?? ""
        return self.operation.rawValue + grouping + "(\(parameter)\(self.inner))"
    }
}

extension String {
    /// Whether it may stand bare before the braces: `[a-zA-Z_:][a-zA-Z0-9_:]*`, and is no number.
    fileprivate var isPlainMetricName: Bool {
        guard let first = self.utf8.first, first.isNameStart || first == UInt8(ascii: ":") else { return false }
        let isReserved = ["inf", "nan", "and", "or", "unless", "atan2", "offset", "bool", "on", "ignoring"]
            .contains(self.lowercased())
        return !isReserved && self.utf8.allSatisfy { $0.isNameStart || $0.isDigit || $0 == UInt8(ascii: ":") }
    }
}

private func labelText(_ name: String) -> String {
    guard let first = name.utf8.first, first.isNameStart, name.utf8.allSatisfy({ $0.isNameStart || $0.isDigit }) else {
        return NumberText.quoted(name)
    }
    return name
}

private func labelList(_ labels: [String]) -> String {
    "(" + labels.map(labelText).joined(separator: ", ") + ")"
}
