// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What became of the rows of a CSV file that the service imported.
struct ImportVerdicts {
    let result: JSONValue
    let isDryRun: Bool
    /// The language for people; JSON has both.
    private let isChinese = Terminal.isChinese

    init(result: JSONValue, isDryRun: Bool) {
        self.result = result
        self.isDryRun = isDryRun
    }

    /// Prints a line for each row and how many there are of each verdict.
    ///
    /// - Parameters:
    ///   - columns: The columns before the problems, each with the member of a row that it shows.
    ///   - asJSON: Whether JSON is printed instead of a table.
    /// - Throws: Exit code 1 when a row was refused.
    func report(_ columns: [(name: String, member: String)], asJSON: Bool) throws {
        let remarks = ["problems", "problems_zh", "notes", "notes_zh"]
        var table = Table(columns: columns.map(\.name) + (asJSON ? remarks : ["problems"]))
        for row in self.result["rows"].elements {
            func joined(_ member: String) -> JSONValue {
                Self.joined(row[member], by: member.hasSuffix("_zh") ? "；" : "; ")
            }
            if asJSON {
                table.append(columns.map { row[$0.member] } + remarks.map(joined))
            } else {
                // What is no error has notes, what is one has none.
                let shown = remarks.filter { $0.hasSuffix("_zh") == self.isChinese }.map(joined)
                table.append(columns.map { self.shown(row, $0.member) } + [shown.first { !$0.isNull } ?? .null])
            }
        }
        table.print(asJSON: asJSON, empty: self.isChinese && !asJSON ? "文件没有数据行" : "the file has no row")
        let errors = self.result["errors"].integer ?? 0
        StandardError.write(self.isChinese ? self.countsInChinese : self.counts)
        if errors > 0 { throw ExitCode(1) }
    }

    private var counts: String {
        let counts = ["created", "changed", "unchanged"].map { "\($0) \(self.result[$0].cellText), " }.joined()
        return "\(self.isDryRun ? "would be " : "")\(counts)errors \(self.result["errors"].cellText)"
    }

    private var countsInChinese: String {
        let counts = ["created", "changed", "unchanged", "errors"]
            .map { name in
                "\(Self.chineseVerdicts[name] ?? name) \(self.result[name].cellText)"
            }
        return (self.isDryRun ? "试运行，未保存：" : "") + counts.joined(separator: "，")
    }

    private static let chineseVerdicts = [
        "created": "新增", "changed": "更改", "unchanged": "无变化", "error": "错误", "errors": "错误",
    ]

    private func shown(_ row: JSONValue, _ member: String) -> JSONValue {
        guard member == "verdict", self.isChinese, let word = row[member].string.flatMap({ Self.chineseVerdicts[$0] })
        else { return row[member] }
        return .string(word)
    }

    private static func joined(_ problems: JSONValue, by separator: String) -> JSONValue {
        let text = problems.elements.map(\.cellText).joined(separator: separator)
        return text.isEmpty ? .null : .string(text)
    }
}
