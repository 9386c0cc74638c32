// poyang
// SPDX-License-Identifier: Apache-2.0

/// Rows under named columns, for people (aligned text) or programs (one JSON array of flat objects, CSV).
struct Table {
    /// The names of the columns, as JSON shows them.
    let columns: [String]
    /// Each as long as `columns`.
    private(set) var rows: [[JSONValue]] = []

    init(columns: [String]) { self.columns = columns }

    /// One row per element of `objects`; a column takes the member of its name.
    init(columns: [String], objects: [JSONValue]) {
        self.columns = columns
        for object in objects { self.append(columns.map { object[$0] }) }
    }

    mutating func append(_ row: [JSONValue]) {
        precondition(row.count == self.columns.count, "a row has one cell per column")
        self.rows.append(row)
    }

    /// One array of flat objects, an object a line.
    var jsonText: String {
        guard !self.rows.isEmpty else { return "[]" }
        let objects = self.rows.map { row in
            JSONValue.objectText(zip(self.columns, row).map { (key: $0, value: $1) })
        }
        return "[\n" + objects.joined(separator: ",\n") + "\n]"
    }

    /// RFC 4180, with a header row.
    var csvText: String {
        let lines = [self.columns] + self.rows.map { $0.map(\.cellText) }
        return lines.map { $0.map(Table.csvField).joined(separator: ",") }.joined(separator: "\n")
    }

    /// Aligned columns, numbers to the right; where there is no row, the text `empty`.
    ///
    /// Columns that are empty in every row are left out, and those in `details`, which only programs need.
    func text(empty: String, details: Set<String> = []) -> String {
        guard !self.rows.isEmpty else { return empty }
        let shown = self.columns.indices.filter { column in
            !details.contains(self.columns[column]) && self.rows.contains { !$0[column].cellText.isEmpty }
        }
        let cells = self.rows.map { row in shown.map { row[$0].cellText } }
        let titles = shown.map { self.columns[$0].replacing("_", with: " ").uppercased() }
        let widths = shown.indices.map { index in
            cells.reduce(Table.width(titles[index])) { max($0, Table.width($1[index])) }
        }
        let isNumeric = shown.map { column in
            self.rows.allSatisfy { $0[column].cellText.isEmpty || $0[column].double != nil }
        }
        let lines = ([titles] + cells)
            .map { line in
                var text = ""
                for (index, cell) in line.enumerated() {
                    let padding = String(repeating: " ", count: widths[index] - Table.width(cell))
                    text += isNumeric[index] ? padding + cell : cell + padding
                    if index < line.count - 1 { text += "  " }
                }
                return String(text.reversed().drop { $0 == " " }.reversed())
            }
        return lines.joined(separator: "\n")
    }

    /// Prints the table in the form asked for; `details` are columns that only JSON shows.
    func print(asJSON: Bool, empty: String, details: Set<String> = []) {
        StandardOutput.write(asJSON ? self.jsonText : self.text(empty: empty, details: details))
    }

    private static func csvField(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    /// Columns of a terminal: Chinese and full-width characters take two.
    static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { width, scalar in
            switch scalar.value {
            case 0x0300...0x036F: width
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
                0xFFE0...0xFFE6:
                width + 2
            default: width + 1
            }
        }
    }
}
