// poyang
// SPDX-License-Identifier: Apache-2.0

/// A condition on one label, as in `{site=~"xing.*"}`.
///
/// A regular expression is anchored at both ends. A label that is not there has the empty value.
package struct LabelMatcher: Sendable {
    package enum Operation: String, Hashable, Sendable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case notMatches = "!~"
    }

    package let name: String
    package let operation: Operation
    /// The text compared with, or the pattern.
    package let value: String
    private let pattern: (@Sendable (String) -> Bool)?

    /// An equality or inequality.
    package init(_ name: String, equals value: String) {
        self.init(name: name, operation: .equal, value: value, pattern: nil)
    }

    /// Makes a matcher of any operation.
    ///
    /// `pattern` says, for `=~` and `!~`, whether a whole text matches. The module that knows regular expressions makes
    /// it; nil compares literally.
    package init(name: String, operation: Operation, value: String, pattern: (@Sendable (String) -> Bool)?) {
        self.name = name
        self.operation = operation
        self.value = value
        self.pattern = pattern
    }

    /// Whether the value is compared as it is, with nobody to ask.
    package var isLiteral: Bool { self.pattern == nil }

    package func matches(_ text: String) -> Bool {
        switch self.operation {
        case .equal: text == self.value
        case .notEqual: text != self.value
        case .matches: self.pattern?(text) ?? (text == self.value)
        case .notMatches: !(self.pattern?(text) ?? (text == self.value))
        }
    }

    package func matches(_ labels: Labels) -> Bool {
        self.matches(labels[self.name])
    }
}

extension LabelMatcher: Hashable, CustomStringConvertible {
    package static func == (left: LabelMatcher, right: LabelMatcher) -> Bool {
        left.name == right.name && left.operation == right.operation && left.value == right.value
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.name)
        hasher.combine(self.operation)
        hasher.combine(self.value)
    }

    package var description: String { "\(self.name)\(self.operation.rawValue)\"\(self.value)\"" }
}

extension Labels {
    /// Conditions that the series with these labels fulfils, and every other one that has them and more.
    package var matchers: [LabelMatcher] { self.map { LabelMatcher($0.name, equals: $0.value) } }
}
