// poyang
// SPDX-License-Identifier: Apache-2.0

/// Cuts query text into pieces; unlike the parser's, it takes a text that does not end.
struct QueryScanner {
    enum Kind {
        case word
        case number
        case string
        case openString
        case symbol
    }

    private let text: String
    private var index: String.Index
    /// Whether the text ends inside a comment.
    private(set) var endsInComment = false

    init(_ text: String) {
        self.text = text
        self.index = text.startIndex
    }

    mutating func next() -> (kind: Kind, range: Range<String.Index>)? {
        self.skipBlanks()
        guard self.index < self.text.endIndex else { return nil }
        let start = self.index
        let first = self.text[start]
        let kind: Kind
        if first == "\"" || first == "'" || first == "`" {
            kind = self.string(first) ? .string : .openString
        } else if first.isLetter || first == "_" || first == ":" || first.isNumber {
            while self.index < self.text.endIndex, self.isWord(self.text[self.index]) { self.advance() }
            kind = first.isNumber ? .number : .word
        } else {
            self.advance()
            let isPair = "=!<>".contains(first) && self.index < self.text.endIndex
            if isPair, "=~".contains(self.text[self.index]) { self.advance() }
            kind = .symbol
        }
        return (kind, start..<self.index)
    }

    private mutating func advance() { self.index = self.text.index(after: self.index) }

    private func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == ":"
    }

    private mutating func skipBlanks() {
        while self.index < self.text.endIndex {
            if self.text[self.index] == "#" {
                while self.index < self.text.endIndex, !self.text[self.index].isNewline { self.advance() }
                self.endsInComment = self.index == self.text.endIndex
            } else if self.text[self.index].isWhitespace {
                self.advance()
            } else {
                return
            }
        }
    }

    /// Whether it is closed.
    private mutating func string(_ quote: Character) -> Bool {
        self.advance()
        while self.index < self.text.endIndex {
            let character = self.text[self.index]
            self.advance()
            if character == quote { return true }
            if character == "\\", quote != "`", self.index < self.text.endIndex { self.advance() }
        }
        return false
    }
}
