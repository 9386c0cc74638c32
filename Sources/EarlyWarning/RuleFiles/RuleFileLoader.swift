// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
package import StrictYAML
package import Telemetry

/// A rule file as it was read.
package struct RuleFileText: Codable, Sendable {
    /// Stands in front of reported problems.
    package let path: String
    /// Begins the ids of the rules, without its extension.
    package let name: String
    /// Of rules whose labels name none.
    package let hazard: String
    package let text: String
}

/// Reads rule files from folders and single paths.
package struct RuleFileLoader {
    /// Accept keys that the schema does not know, as `promtool check rules --ignore-unknown-fields` does.
    package var ignoresUnknownFields = false
    /// Whether functions that count in UTC are an error instead of a finding, as in the rules that are shipped.
    package var refusesUTCTime = false
    /// The interval of every group, whatever its own, as rule tests have it.
    package var fixedInterval: Milliseconds?

    package init() {}

    /// Reads all rule files of `paths`; a folder stands for the `.yaml` and `.yml` files below it except rule tests.
    ///
    /// Within a folder given the name of a file is its path below that folder, and its first part the default hazard.
    ///
    /// - Throws: ``ProblemList`` with all problems of all files.
    package func load(paths: [String]) throws -> RuleSet {
        let problems = ProblemCollector()
        let rules = self.load(paths: paths, problems: problems)
        try problems.throwIfAny()
        return rules
    }

    /// Reads what can be read and reports the rest.
    package func load(paths: [String], problems: ProblemCollector) -> RuleSet {
        self.parse(self.texts(of: paths, problems: problems), problems: problems)
    }

    /// Reads the texts of all rule files of `paths`, and reports those that cannot be read.
    package func texts(of paths: [String], problems: ProblemCollector) -> [RuleFileText] {
        var texts: [RuleFileText] = []
        func read(_ file: String, name: String, hazard: String) {
            do {
                let text = try String(contentsOfFile: file, encoding: .utf8)
                texts.append(RuleFileText(path: file, name: name, hazard: hazard, text: text))
            } catch {
                let message = "the file cannot be read: \(error.localizedDescription)"
                problems.report(Problem(file: file, line: 0, column: 0, message: message))
            }
        }
        func names(below folder: String) -> [String] {
            do {
                return try RuleFileLoader.ruleFiles(below: folder)
            } catch {
                let message = "the folder cannot be read: \(error.localizedDescription)"
                problems.report(Problem(file: folder, line: 0, column: 0, message: message))
                return []
            }
        }
        for path in paths {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
                problems.report(Problem(file: path, line: 0, column: 0, message: "there is no such file or folder"))
                continue
            }
            guard isDirectory.boolValue else {
                read(path, name: path, hazard: RuleFileLoader.lastFolder(ofFile: path))
                continue
            }
            for name in names(below: path) {
                let full = path.hasSuffix("/") ? path + name : path + "/" + name
                let folders = name.split(separator: "/").dropLast()
                let hazard = folders.first.map(String.init) ?? RuleFileLoader.lastFolder(ofFile: full)
                read(full, name: name, hazard: hazard)
            }
        }
        return texts
    }

    /// Reads rules from the texts of files and reports what is wrong.
    package func parse(_ texts: [RuleFileText], problems: ProblemCollector) -> RuleSet {
        var rules = RuleSet()
        for file in texts {
            self.parse(
                file.text,
                path: file.path,
                name: file.name,
                hazard: file.hazard,
                into: &rules,
                problems: problems
            )
        }
        rules.reportDuplicates()
        rules.reportRings(problems)
        return rules
    }

    /// Reads the text of one file.
    ///
    /// `path` stands in front of reported problems; `name`, without its extension, begins the ids of the rules;
    /// `hazard` is that of rules whose labels name none.
    package func parse(
        _ text: String,
        path: String,
        name: String,
        hazard: String,
        into rules: inout RuleSet,
        problems: ProblemCollector
    ) {
        guard let (value, next) = YAMLValue.firstDocument(text, file: path, problems: problems) else { return }
        if let next {
            let problem = next.problem(
                "a second document begins here, which nobody reads; write it into a file of its own"
            )
            rules.findings.append(RuleFinding(kind: .note, problem: problem))
        }
        var reader = RuleFileReader(
            path: path,
            name: RuleFileLoader.withoutExtension(name),
            defaultHazard: hazard,
            fixedInterval: self.fixedInterval,
            ignoresUnknownFields: self.ignoresUnknownFields,
            refusesUTCTime: self.refusesUTCTime,
            source: text.split(separator: "\n", omittingEmptySubsequences: false)
        )
        reader.read(value)
        rules.alerts += reader.alerts
        rules.recordings += reader.recordings
        rules.findings += reader.findings
        rules.files.append(RuleSet.File(name: path, rules: reader.ruleCount))
    }

    /// Reads the text of one file by itself.
    ///
    /// - Throws: ``ProblemList`` with all its problems.
    package func parse(_ text: String, name: String = "rules.yaml", hazard: String = "") throws -> RuleSet {
        let problems = ProblemCollector()
        var rules = RuleSet()
        self.parse(text, path: name, name: name, hazard: hazard, into: &rules, problems: problems)
        rules.reportDuplicates()
        rules.reportRings(problems)
        try problems.throwIfAny()
        return rules
    }

    /// Paths below `folder` of its rule files, sorted.
    ///
    /// - Throws: When the folder, or one below it, cannot be read.
    package static func ruleFiles(below folder: String) throws -> [String] {
        try self.yamlFiles(below: folder).filter { !self.isTest($0) }
    }

    /// Paths below `folder` of its rule tests, sorted.
    ///
    /// - Throws: When the folder, or one below it, cannot be read.
    package static func testFiles(below folder: String) throws -> [String] {
        try self.yamlFiles(below: folder).filter(self.isTest)
    }

    private static func yamlFiles(below folder: String) throws -> [String] {
        // With the slash, a link to a folder is the folder.
        try FileManager.default.subpathsOfDirectory(atPath: folder + "/")
            .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
    }

    private static func isTest(_ name: String) -> Bool {
        name.hasSuffix(".test.yaml") || name.hasSuffix(".test.yml")
    }

    private static func withoutExtension(_ name: String) -> String {
        for suffix in [".yaml", ".yml"] where name.hasSuffix(suffix) { return String(name.dropLast(suffix.count)) }
        return name
    }

    private static func lastFolder(ofFile path: String) -> String {
        let folders = path.split(separator: "/").dropLast()
        return folders.last.map(String.init) ?? ""
    }
}

extension RuleSet {
    /// Recording rules that feed themselves would never come to an end.
    fileprivate func reportRings(_ problems: ProblemCollector) {
        for rule in self.recordings.rings {
            let message = "'\(rule.record)' is computed from itself; record it under another name"
            problems.report(Problem(file: rule.file, line: rule.line, column: 1, message: message))
        }
    }

    /// Adds a lint finding for each rule that repeats the name and labels of another.
    fileprivate mutating func reportDuplicates() {
        struct Identity: Hashable {
            var name: String
            var labels: [String]
        }
        var seen: [Identity: String] = [:]
        func check(_ name: String, _ labels: [String], _ file: String, _ line: Int) -> RuleFinding? {
            let identity = Identity(name: name, labels: labels)
            guard let first = seen[identity] else {
                seen[identity] = "\(file):\(line)"
                return nil
            }
            let message = "'\(name)' with the same labels stands at \(first) already; give one of them another name"
            let problem = Problem(file: file, line: line, column: 1, message: message)
            return RuleFinding(kind: .duplicateRules, problem: problem)
        }
        for rule in self.recordings {
            let labels = rule.labels.map { "\($0.name)=\($0.value)" }
            if let finding = check(rule.record, labels, rule.file, rule.line) { self.findings.append(finding) }
        }
        for rule in self.alerts {
            let labels = rule.labels.map { "\($0.name)=\($0.source)" }.sorted()
            if let finding = check(rule.name, labels, rule.file, rule.line) { self.findings.append(finding) }
        }
    }
}
