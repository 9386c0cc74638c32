// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL

/// What may stand at the end of a query that is still being written.
struct QueryCursor: Equatable {
    enum Place: Equatable {
        /// A metric, a function, an aggregation.
        case operand
        /// The same, or what says how the operator before it pairs.
        case rightOperand
        /// An operator in letters, or a modifier.
        case afterOperand
        /// The name of a label in the braces after `selector`, which has what was written before; nil for any series.
        case labelName(selector: String?)
        /// The value of a label, inside a quote or before it.
        case labelValue(label: String, selector: String?, quote: Character?)
        /// A name in the parentheses after `by`, `without`, `on`, …; of the series of `selector` where one is known.
        case grouping(selector: String?)
        /// Nothing that could be known: a number, a text, a span.
        case nothing
    }

    let place: Place
    /// What the word before the cursor begins with.
    let prefix: String
    /// All text before that word.
    let head: String

    init(_ text: String) {
        var scanner = QueryScanner(text)
        var state = State(text: text)
        while let piece = scanner.next() {
            let isLast = piece.range.upperBound == text.endIndex
            if piece.kind == .openString {
                let start = text.index(after: piece.range.lowerBound)
                self.init(state.valuePlace(quote: text[piece.range.lowerBound]), text, from: start)
                return
            }
            if isLast, piece.kind == .word || piece.kind == .number {
                let place = piece.kind == .word ? state.wordPlace(isEmpty: false) : .nothing
                self.init(place, text, from: piece.range.lowerBound)
                return
            }
            state.take(piece.kind, piece.range)
        }
        let place = scanner.endsInComment ? .nothing : state.wordPlace(isEmpty: true)
        self.init(place, text, from: text.endIndex)
    }

    private init(_ place: Place, _ text: String, from start: String.Index) {
        self.place = place
        self.prefix = String(text[start...])
        self.head = String(text[..<start])
    }
}

extension QueryCursor {
    /// What is known after some pieces of the text.
    private struct State {
        private enum Bracket {
            case parenthesis
            case labelList
            /// Where the selector begins, and where its last `{` or comma stands.
            case braces(start: String.Index, separator: String.Index)
            case window
        }

        private static let listOpeners: Set<String> = ["by", "without", "on", "ignoring", "group_left", "group_right"]
        private static let operators: Set<String> = ["and", "or", "unless", "atan2", "bool"]
        private static let matches: Set<String> = ["=", "!=", "=~", "!~"]

        let text: String
        private var brackets: [Bracket] = []
        /// The piece before.
        private var last = ""
        /// Where the name before began; nil where the piece before is none.
        private var nameStart: String.Index?
        private var endsOperand = false
        /// The last selector, and the one before it.
        private var selector: String?
        private var earlier: String?

        init(text: String) { self.text = text }

        mutating func take(_ kind: QueryScanner.Kind, _ range: Range<String.Index>) {
            let piece = String(self.text[range])
            switch kind {
            case .word: self.take(word: piece.lowercased(), range)
            case .symbol:
                self.take(symbol: piece, at: range.lowerBound)
                self.nameStart = nil
            case .string, .number, .openString:
                self.endsOperand = true
                self.nameStart = nil
            }
            self.last = piece
        }

        private mutating func take(word: String, _ range: Range<String.Index>) {
            self.nameStart = nil
            if case .braces? = self.brackets.last { return }
            if case .labelList? = self.brackets.last { return }
            self.endsOperand = !Self.operators.contains(word)
            if word == "by" || word == "without", AggregationOperator(rawValue: self.last.lowercased()) != nil {
                // The name before was no metric, but that of an aggregation.
                self.selector = self.earlier
            }
            guard self.endsOperand, !Self.listOpeners.contains(word) else { return }
            self.nameStart = range.lowerBound
            self.earlier = self.selector
            self.selector = String(self.text[range])
        }

        private mutating func take(symbol: String, at place: String.Index) {
            self.endsOperand = false
            switch symbol {
            case "(":
                // The name before was no metric, but that of a function.
                if self.nameStart != nil { self.selector = self.earlier }
                let opensList = Self.listOpeners.contains(self.last.lowercased())
                self.brackets.append(opensList ? .labelList : .parenthesis)
            case "{": self.brackets.append(.braces(start: self.nameStart ?? place, separator: place))
            case "[": self.brackets.append(.window)
            case ")", "}", "]":
                if case .braces(let start, _)? = self.brackets.popLast() {
                    self.selector = String(self.text[start...place])
                }
                self.endsOperand = true
            case ",":
                if case .braces(let start, _)? = self.brackets.last {
                    self.brackets[self.brackets.count - 1] = .braces(start: start, separator: place)
                }
            default: break
            }
        }

        /// The cursor stands at the end of a word, or before one.
        func wordPlace(isEmpty: Bool) -> Place {
            switch self.brackets.last {
            case .braces(let start, let separator):
                let known = self.written(start, separator)
                if self.last == "{" || self.last == "," { return .labelName(selector: known) }
                guard isEmpty, Self.matches.contains(self.last), let label = self.label(after: separator) else {
                    return .nothing
                }
                return .labelValue(label: label, selector: known, quote: nil)
            case .labelList: return .grouping(selector: self.selector)
            case .window: return .nothing
            case .parenthesis, nil:
                if self.endsOperand { return .afterOperand }
                let isOperator = !self.last.isEmpty && self.last != "(" && self.last != ","
                return isOperator ? .rightOperand : .operand
            }
        }

        /// The cursor stands inside a quote that is open.
        func valuePlace(quote: Character) -> Place {
            guard case .braces(let start, let separator)? = self.brackets.last, Self.matches.contains(self.last),
                let label = self.label(after: separator)
            else { return .nothing }
            return .labelValue(label: label, selector: self.written(start, separator), quote: quote)
        }

        /// What was written of a selector before the condition at the cursor, closed.
        private func written(_ start: String.Index, _ separator: String.Index) -> String? {
            let text = String(self.text[start..<separator])
            return text.isEmpty ? nil : text.contains("{") ? text + "}" : text
        }

        /// The name of the label in the condition after `{` or a comma.
        private func label(after separator: String.Index) -> String? {
            let condition = self.text[self.text.index(after: separator)...].drop(while: \.isWhitespace)
            if condition.first == "\"" { return condition.dropFirst().split(separator: "\"").first.map(String.init) }
            let name = condition.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            return name.isEmpty ? nil : String(name)
        }
    }
}
