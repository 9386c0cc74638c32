// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EarlyWarning
import StrictYAML

/// Which findings `rules check` looks for, as promtool names them.
enum RuleLint: String, CaseIterable, ExpressibleByArgument {
    /// Everything that may surprise.
    case all
    case duplicateRules = "duplicate-rules"
    /// Functions that count in UTC.
    case utcTime = "utc-time"
    case none

    func wants(_ finding: RuleFinding) -> Bool {
        switch self {
        case .all: true
        case .duplicateRules: finding.kind == .duplicateRules
        case .utcTime: finding.kind == .utcTime
        case .none: false
        }
    }
}

/// The verdict on rule files, and what is to be said about them.
struct RuleCheckReport {
    private let check: RuleCheck
    let findings: [RuleFinding]

    /// Checks files, and folders of them; those that are shipped more strictly.
    ///
    /// - Throws: ``CommandFailure`` where there is no rule file.
    init(
        paths: [String],
        lint: RuleLint = .all,
        ignoringUnknownFields: Bool = false,
        areShipped: Bool = false
    ) throws {
        var loader = RuleFileLoader()
        loader.ignoresUnknownFields = ignoringUnknownFields
        loader.refusesUTCTime = areShipped
        self.check = RuleCheck(paths: paths, loader: loader)
        self.findings = self.check.rules.findings.filter(lint.wants)
        if self.check.rules.files.isEmpty, self.check.problems.isEmpty {
            throw CommandFailure(
                "no rule file in \(paths.joined(separator: ", ")); name a .yaml file or a folder of them"
            )
        }
    }

    var problems: [Problem] { self.check.problems }
    /// A line per file.
    var files: [String] { self.check.rules.files.map { "\($0.name): \($0.rules) rules" } }

    func passes(lintIsFatal: Bool) -> Bool {
        self.problems.isEmpty && !(lintIsFatal && self.findings.contains { $0.kind.isLint })
    }

    /// A row for each file, and for each thing that is to be said about one.
    var table: Table {
        var table = Table(columns: ["file", "line", "column", "kind", "message", "rules"])
        func add(_ problem: Problem, _ kind: String) {
            table.append([
                .string(problem.file), .integer(Int64(problem.line)), .integer(Int64(problem.column)), .string(kind),
                .string(problem.message), .null,
            ])
        }
        for file in self.check.rules.files {
            table.append([.string(file.name), .null, .null, .string("file"), .null, .integer(Int64(file.rules))])
        }
        for problem in self.problems { add(problem, "error") }
        for finding in self.findings { add(finding.problem, finding.kind.isLint ? "lint" : "note") }
        return table
    }
}
