// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What became of the rows of a CSV file that the service imported.
struct ImportVerdicts {
    let result: JSONValue
    let isDryRun: Bool

    /// Prints a line for each row and how many there are of each verdict.
    ///
    /// - Parameters:
    ///   - columns: The columns before the problems, each with the member of a row that it shows.
    ///   - asJSON: Whether JSON is printed instead of a table.
    /// - Throws: Exit code 1 when a row was refused.
    func report(_ columns: [(name: String, member: String)], asJSON: Bool) throws {
        var table = Table(columns: columns.map(\.name) + ["problems"])
        for row in self.result["rows"].elements {
            let problems = row["problems"].elements.map(\.cellText).joined(separator: "; ")
            table.append(columns.map { row[$0.member] } + [problems.isEmpty ? .null : .string(problems)])
        }
        table.print(asJSON: asJSON, empty: "the file has no row")
        let errors = self.result["errors"].integer ?? 0
        let counts = ["created", "changed", "unchanged"].map { "\($0) \(self.result[$0].cellText), " }.joined()
        StandardError.write("\(self.isDryRun ? "would be " : "")\(counts)errors \(errors)")
        if errors > 0 { throw ExitCode(1) }
    }
}
