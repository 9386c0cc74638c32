// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Foundation
import XMLCoder

/// The outcomes of rule tests as JUnit XML, which build servers read.
///
/// Source: the schema of Apache Ant's JUnit task as Jenkins reads it: `testsuites`, a `testsuite` per file, a `testcase`
/// per test with `failure` and `system-out`.
struct RuleTestXML: Encodable {
    private struct Suite: Encodable {
        @Attribute var name: String
        @Attribute var tests: Int
        @Attribute var failures: Int
        @Attribute var errors: Int
        let testcase: [Case]

        init(_ file: String, _ outcomes: [RuleTestOutcome]) {
            self._name = Attribute(file)
            self._tests = Attribute(outcomes.count)
            self._failures = Attribute(outcomes.count { !$0.hasPassed })
            self._errors = Attribute(0)
            self.testcase = outcomes.map(Case.init)
        }
    }

    private struct Case: Encodable {
        @Attribute var classname: String
        @Attribute var name: String
        let failure: [Failure]
        let output: [String]

        private enum CodingKeys: String, CodingKey {
            case classname, name, failure
            case output = "system-out"
        }

        init(_ outcome: RuleTestOutcome) {
            self._classname = Attribute(outcome.file)
            self._name = Attribute(outcome.name)
            self.failure = outcome.failures.map { Failure("\($0.problem)", text: "\($0)") }
            self.output = outcome.skipped.map { "skipped: \($0)" }
        }
    }

    private struct Failure: Encodable {
        @Attribute var message: String
        let text: String

        private enum CodingKeys: String, CodingKey {
            case message
            case text = ""
        }

        init(_ message: String, text: String) {
            self._message = Attribute(message)
            self.text = text
        }
    }

    @Attribute private var tests: Int
    @Attribute private var failures: Int
    private let testsuite: [Suite]

    init(_ outcomes: [RuleTestOutcome]) {
        var files: [String] = []
        for outcome in outcomes where files.last != outcome.file { files.append(outcome.file) }
        self._tests = Attribute(outcomes.count)
        self._failures = Attribute(outcomes.count { !$0.hasPassed })
        self.testsuite = files.map { file in Suite(file, outcomes.filter { $0.file == file }) }
    }

    /// The document.
    func data() throws -> Data {
        let encoder = XMLEncoder()
        encoder.outputFormatting = .prettyPrinted
        return try encoder.encode(self, withRootKey: "testsuites", header: XMLHeader(version: 1.0, encoding: "UTF-8"))
    }
}
