// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Results as a table for people or as one JSON array of flat objects.
struct ReportTable {
    enum Cell {
        case text(String)
        /// With so many decimals.
        case number(Double, Int)
        case none

        fileprivate var text: String {
            switch self {
            case .text(let text): text
            case .number(let value, let decimals): String(format: "%.\(decimals)f", value)
            case .none: ""
            }
        }

        fileprivate var json: Any {
            switch self {
            case .text(let text): text
            case .number(let value, let decimals):
                decimals == 0 ? Int(value.rounded()) as Any : (value * 1e6).rounded() / 1e6 as Any
            case .none: NSNull()
            }
        }

        fileprivate var isNumber: Bool {
            if case .number = self { return true }
            return false
        }
    }

    let columns: [String]
    let rows: [[Cell]]

    var text: String {
        let widths = self.columns.indices.map { column in
            max(self.columns[column].count, self.rows.map { $0[column].text.count }.max() ?? 0)
        }
        func line(_ texts: [(text: String, isRight: Bool)]) -> String {
            let cells = texts.enumerated()
                .map { index, cell in
                    let space = String(repeating: " ", count: widths[index] - cell.text.count)
                    return cell.isRight ? space + cell.text : cell.text + space
                }
            return cells.joined(separator: "  ")
        }
        let header = line(
            self.columns.indices.map { column in
                (self.columns[column], self.rows.contains { $0[column].isNumber })
            }
        )
        return ([header] + self.rows.map { line($0.map { ($0.text, $0.isNumber) }) }).joined(separator: "\n")
    }

    func json() throws -> String {
        let objects = self.rows.map { row in
            Dictionary(uniqueKeysWithValues: zip(self.columns, row.map(\.json)))
        }
        let data = try JSONSerialization.data(withJSONObject: objects, options: [.sortedKeys])
        return String(decoding: data, as: UTF8.self)
    }
}
