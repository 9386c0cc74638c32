// poyang
// SPDX-License-Identifier: Apache-2.0

extension Lexer {
    /// Characters that keyboards and word processors put for those of the language.
    private static let lookAlikes: [Unicode.Scalar: String] = [
        "（": "(", "）": ")", "｛": "{", "｝": "}", "［": "[", "］": "]", "【": "[", "】": "]", "，": ",", "：": ":", "＝": "=",
        "＋": "+", "－": "-", "–": "-", "−": "-", "×": "*", "÷": "/", "＞": ">", "＜": "<", "≥": ">=", "≤": "<=", "≠": "!=",
        "“": "\"", "”": "\"", "‘": "'", "’": "'", "＂": "\"", "＠": "@", "～": "~", "\u{3000}": "a blank",
        "\u{A0}": "a blank",
    ]

    /// A character that no token begins with.
    func unexpectedCharacter(at start: Int) -> PromQLError {
        let first = String(decoding: self.bytes[start...].prefix(4), as: UTF8.self).unicodeScalars.first ?? "?"
        let isInName = start > 0 && (self.bytes[start - 1].isNameStart || self.bytes[start - 1].isDigit)
        let hint: String? =
            switch first {
            case _ where Self.lookAlikes[first] != nil: Self.lookAlikes[first].map { "write \($0) instead" }
            case "." where isInName && self.isInBraces: "quote the name: {\"a.b\"=\"…\"}"
            case "." where isInName: "quote the name: {\"a.b\"}"
            case "&": "write and"
            case "|": "write or"
            case ";": "one expression is one query"
            case "$": "variables must be replaced before the query is sent"
            case _ where first.properties.isAlphabetic: "quote a name with such letters: {\"\(first)…\"}"
            default: nil
            }
        return self.failure("unexpected character: \"\(first)\"", at: start, hint: hint)
    }
}
