// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Parser {
    /// The braces after a metric name, or alone.
    mutating func selector(metric: String?) throws(PromQLError) -> Selector {
        let start = self.current.start
        var matchers: [LabelMatcher] = []
        if let metric { matchers.append(LabelMatcher(Labels.metricName, equals: metric)) }
        if self.take("{") {
            while !self.isSymbol("}") {
                let matcher = try self.matcher()
                if let metric, matcher.name == Labels.metricName {
                    throw self.failure(
                        "metric name must not be set twice: \"\(metric)\" or \"\(matcher.value)\"",
                        at: start
                    )
                }
                matchers.append(matcher)
                if !self.take(","), !self.isSymbol("}") {
                    throw self.failure(
                        "unexpected \(self.current.name) in label matching, expected \",\" or \"}\""
                    )
                }
            }
            self.advance()
        }
        guard matchers.contains(where: { !$0.matches("") && !Selector.isOnMarks($0.name) }) else {
            throw self.failure(
                "vector selector must contain at least one non-empty matcher",
                at: start,
                hint: "name a metric, or a condition that the empty text does not meet"
            )
        }
        return Selector(matchers: matchers, window: nil, modifiers: TimeModifiers())
    }

    /// `name="value"`, or a quoted metric name alone.
    private mutating func matcher() throws(PromQLError) -> LabelMatcher {
        let name: String
        switch self.current.kind {
        case .identifier(let text):
            name = text
            self.advance()
        case .string(let text):
            self.advance()
            if self.isSymbol(",") || self.isSymbol("}") { return LabelMatcher(Labels.metricName, equals: text) }
            name = text
        default:
            throw self.failure("unexpected \(self.current.name) in label matching, expected label matching operator")
        }
        guard case .symbol(let symbol) = self.current.kind, let operation = LabelMatcher.Operation(rawValue: symbol)
        else {
            throw self.failure(
                "unexpected \(self.current.name) in label matching, expected label matching operator",
                hint: "one of = != =~ !~"
            )
        }
        self.advance()
        guard case .string(let value) = self.current.kind else {
            throw self.failure(
                "unexpected \(self.current.name) in label matching, expected string",
                hint: "put the value in quotes"
            )
        }
        let place = self.current.start
        self.advance()
        switch operation {
        case .equal, .notEqual:
            return LabelMatcher(name: name, operation: operation, value: value, pattern: nil)
        case .matches, .notMatches:
            do {
                let pattern = try LabelPattern(value, onlyMatches: true)
                return LabelMatcher(name: name, operation: operation, value: value, pattern: pattern.predicate)
            } catch {
                throw self.failure("error parsing regexp: \(error.message)", at: place)
            }
        }
    }
}
