// poyang
// SPDX-License-Identifier: Apache-2.0

/// What is wrong in a query, shown in its text.
///
/// The service says `1:1: unknown function with name "raet" (did you mean rate?)`; people see
/// ```
/// error: 1:1: unknown function with name "raet"
///   raet(up[5m])
///   ^ did you mean rate?
/// ```
struct QueryFault: Equatable {
    let message: String
    let hint: String?
    /// From 1.
    let line: Int
    /// From 1, in characters of the line.
    let column: Int

    /// Reads the place out of the text of an error; nil where it names none.
    init?(_ text: String) {
        guard let match = text.firstMatch(of: #/(?:^|: )([0-9]{1,7}):([0-9]{1,7}): /#), let line = Int(match.1),
            let column = Int(match.2), line > 0, column > 0
        else { return nil }
        self.line = line
        self.column = column
        let rest = text[match.range.upperBound...]
        if let opening = Self.openingOfHint(in: rest) {
            self.message = String(rest[..<opening].dropLast())
            self.hint = String(rest[opening...].dropFirst().dropLast())
        } else {
            self.message = String(rest)
            self.hint = nil
        }
    }

    /// Where the parenthesis begins that ends the text; hints may have parentheses of their own.
    private static func openingOfHint(in text: Substring) -> Substring.Index? {
        guard text.hasSuffix(")") else { return nil }
        var depth = 0
        for index in text.indices.reversed() {
            if text[index] == ")" { depth += 1 }
            if text[index] == "(" { depth -= 1 }
            guard depth == 0 else { continue }
            guard index > text.startIndex, text[text.index(before: index)] == " " else { return nil }
            return index
        }
        return nil
    }

    /// The message, the line of the query cut to `width` columns around the place, and a caret under it.
    func text(in query: String, width: Int) -> String {
        let lines = query.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        let place = "\(self.line):\(self.column): "
        guard self.line <= lines.count else { return place + self.message + (self.hint.map { " (\($0))" } ?? "") }
        var scalars = Array(lines[self.line - 1]).map { $0.value < 0x20 ? " " : $0 }
        var index = min(self.column - 1, scalars.count)
        let room = max(20, width - 8)
        if scalars.count > room {
            let start = max(0, min(index - room / 2, scalars.count - room))
            let end = min(scalars.count, start + room)
            let before: [Unicode.Scalar] = start > 0 ? ["…"] : []
            let after: [Unicode.Scalar] = end < scalars.count ? ["…"] : []
            scalars = before + scalars[start..<end] + after
            index += before.count - start
        }
        let number = lines.count > 1 ? "\(self.line) | " : ""
        let blanks = String(repeating: " ", count: number.count + Table.width(Self.string(scalars.prefix(index))))
        return """
            \(place)\(self.message)
              \(number)\(Self.string(scalars[...]))
              \(blanks)^\(self.hint.map { " " + $0 } ?? "")
            """
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
