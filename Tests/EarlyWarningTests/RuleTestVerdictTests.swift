// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Foundation
import StrictYAML
import TestSupport
import Testing

/// Files of rule tests whose verdict is that of promtool.
struct RuleTestVerdictTests {
    private static let rules = """
        groups:
        - name: doubles
          rules:
          - { record: double, expr: m * 2 }
          - { alert: High, expr: m > 5 }
        """

    /// Runs a test file beside `r.yml` and `sub/r1.yml`, which are the same.
    private func report(_ test: String, rules: String = Self.rules) throws -> RuleTestReport {
        try inTemporaryFolder { folder in
            let sub = folder.appendingPathComponent("sub")
            try FileManager.default.createDirectory(at: sub, withIntermediateDirectories: true)
            try Data(rules.utf8).write(to: folder.appendingPathComponent("r.yml"))
            try Data(rules.utf8).write(to: sub.appendingPathComponent("r1.yml"))
            let file = folder.appendingPathComponent("x.test.yaml")
            try Data(test.utf8).write(to: file)
            return RuleTestRunner().run(file: file.path)
        }
    }

    private func text(_ report: RuleTestReport) -> String {
        (report.problems.map(\.description) + report.cases.flatMap { $0.failures.map(\.description) })
            .joined(separator: "\n")
    }

    /// One test of `m`, which is 9 for five minutes.
    private static func test(_ checks: String, head: String = "rule_files: [r.yml]") -> String {
        """
        \(head)
        tests:
        - interval: 1m
          input_series: [{ series: 'm{a="1"}', values: '9x5' }]
          \(checks)
        """
    }

    @Test(arguments: [
        ("2.9999999999999996", true), ("3.0000000000000004", true), ("2.9999999999999987", false),
        ("3.0000000000000013", false), ("3.0000000001", false),
    ])
    func aFuzzyComparisonAllowsTheNextNumberAndNoMore(value: String, passes: Bool) throws {
        let report = try self.report(
            """
            fuzzy_compare: true
            tests:
            - input_series: [{ series: m, values: '\(value)' }]
              promql_expr_test: [{ expr: m, eval_time: 0, exp_samples: [{ labels: m, value: 3 }] }]
            """
        )
        #expect(report.passed == passes, "\(self.text(report))")
    }

    /// It ended the process.
    @Test func anIntervalOfZeroIsTheDefault() throws {
        let report = try self.report(
            """
            rule_files: [r.yml]
            evaluation_interval: 0s
            tests:
            - interval: 0s
              input_series: [{ series: m, values: '1+1x5' }]
              promql_expr_test: [{ expr: double, eval_time: 3m, exp_samples: [{ labels: double, value: 8 }] }]
            """
        )
        #expect(report.passed, "\(self.text(report))")
    }

    @Test func aSeriesWithoutNameAndLabelsIsRefused() throws {
        let report = try self.report("tests: [{ input_series: [{ series: '{}', values: '1' }] }]")
        #expect(self.text(report).contains("a series needs a name or a label"))
    }

    /// Each text is what promtool 2.42 gives.
    @Test func annotationsAndLabelsAreThoseOfPromtool() throws {
        let rules = #"""
            groups:
            - name: g
              rules:
              - alert: High
                expr: m > 5
                labels: { env: '{{ $externalLabels.env }}', name: '{{ $labels.__name__ }}', none: '' }
                annotations:
                  all: "VALUE = {{ $value }}\n  LABELS = {{ $labels }}"
                  sum: '{{ with query "sum(m)" }}{{ . | first | value | humanize }}{{ end }}{{/* of all */}}'
                  each: '{{ range query "m" | sortByLabel "a" }}{{ .Labels.a }}={{ .Value }} {{ end }}'
            """#
        let report = try self.report(
            #"""
            rule_files: [r.yml]
            tests:
            - interval: 1m
              external_labels: { env: prod }
              input_series:
              - { series: 'm{a="1"}', values: '9x5' }
              - { series: 'm{a="2"}', values: '1x5' }
              alert_rule_test:
              - alertname: High
                eval_time: 1m
                exp_alerts:
                - exp_labels: { a: "1", env: prod, name: m }
                  exp_annotations:
                    all: "VALUE = 9\n  LABELS = map[__name__:m a:1]"
                    sum: "10"
                    each: "1=9 2=1 "
            """#,
            rules: rules
        )
        #expect(report.passed, "\(self.text(report))")
    }

    @Test(arguments: [#"["sub/r*.yml"]"#, #"["*b/r?.yml", "sub/r1.yml"]"#, #"["sub/r[0-9].yml"]"#])
    func ruleFilesAreFoundByPatterns(files: String) throws {
        let check =
            "promql_expr_test: [{ expr: double, eval_time: 1m, exp_samples: [{ labels: 'double{a=\"1\"}', value: 18 }] }]"
        let report = try self.report(Self.test(check, head: "rule_files: \(files)"))
        #expect(report.passed, "\(self.text(report))")
        #expect(report.warnings.isEmpty)
    }

    @Test(arguments: ["nothere.yml", "sub/nothere*.yml"])
    func aPatternThatFindsNoFileIsAWarning(file: String) throws {
        let report = try self.report(Self.test("promql_expr_test: []", head: "rule_files: [r.yml, '\(file)']"))
        #expect(report.passed, "\(self.text(report))")
        try #require(report.warnings.count == 1)
        #expect(report.warnings[0].description.hasSuffix("x.test.yaml:1:21: no file matches '\(file)'"))
    }

    @Test func groupsAreEvaluatedAtEveryIntervalOfTheTestWhateverTheirOwn() throws {
        let report = try self.report(
            """
            rule_files: [r.yml]
            tests:
            - interval: 1m
              input_series: [{ series: m, values: '1 2 3 4 5 6 7' }]
              promql_expr_test:
              - { expr: slow, eval_time: 3m30s, exp_samples: [{ labels: slow, value: 4 }] }
              - { expr: ALERTS, eval_time: 3m, exp_samples: [{ labels: 'ALERTS{alertname="Late",alertstate="firing"}', value: 1 }] }
            """,
            rules: """
                groups:
                - name: slow
                  interval: 5m
                  rules:
                  - { record: slow, expr: m }
                  - { alert: Late, expr: vector(time()) > 119 }
                """
        )
        #expect(report.passed, "\(self.text(report))")
    }

    @Test(arguments: ["{ a: '1' }", "{ a: '1', alertname: High }", "{ a: '1', alertname: Other }"])
    func theNameOfAnAlertMayStandAmongItsLabels(labels: String) throws {
        let check = "alert_rule_test: [{ eval_time: 2m, alertname: High, exp_alerts: [{ exp_labels: \(labels) }] }]"
        let report = try self.report(Self.test(check))
        #expect(report.passed, "\(self.text(report))")
    }

    /// Two series are above 5.
    @Test(arguments: [
        ("{ alert: X, expr: m > 5 }", 1, "exceeded limit of 1 with 2 alerts"),
        ("{ record: x, expr: m * 2 }", 1, "'x' exceeded limit of 1 with 2 series"),
        ("{ alert: X, expr: m > 5 }", 2, ""), ("{ record: x, expr: m * 2 }", 0, ""),
    ])
    func aGroupHasALimit(rule: String, limit: Int, message: String) throws {
        let report = try self.report(
            """
            rule_files: [r.yml]
            tests:
            - interval: 1m
              input_series: [{ series: 'm{a="1"}', values: '9x5' }, { series: 'm{a="2"}', values: '9x5' }]
              promql_expr_test: [{ expr: count(m), eval_time: 2m, exp_samples: [{ labels: '{}', value: 2 }] }]
            """,
            rules: "groups: [{ name: g, limit: \(limit), rules: [\(rule)] }]"
        )
        #expect(report.passed == message.isEmpty, "\(self.text(report))")
        #expect(message.isEmpty || self.text(report).contains(message))
    }

    @Test func aGroupWithAnOffsetLooksBackByIt() throws {
        let report = try self.report(
            """
            rule_files: [r.yml]
            tests:
            - interval: 1m
              input_series: [{ series: m, values: '1 2 3 4 5 6 7' }]
              promql_expr_test:
              - { expr: r, eval_time: 5m, exp_samples: [{ labels: r, value: 4 }] }
              alert_rule_test:
              - { eval_time: 4m, alertname: High, exp_alerts: [] }
              - { eval_time: 5m, alertname: High, exp_alerts: [{}] }
            """,
            rules:
                "groups: [{ name: g, query_offset: 2m, rules: [{ record: r, expr: m }, { alert: High, expr: m > 3 }] }]"
        )
        #expect(report.passed, "\(self.text(report))")
    }

    @Test func aLabelThatNamesTheValueMakesAnotherAlertOfEachValue() throws {
        let report = try self.report(
            """
            rule_files: [r.yml]
            tests:
            - interval: 1m
              input_series: [{ series: 'm{a="1"}', values: '6 6 6 7 7 7 1' }]
              alert_rule_test:
              - { eval_time: 2m, alertname: High, exp_alerts: [{ exp_labels: { a: "1", at: "6" } }] }
              - { eval_time: 3m, alertname: High, exp_alerts: [] }
              - { eval_time: 5m, alertname: High, exp_alerts: [{ exp_labels: { a: "1", at: "7" } }] }
              - { eval_time: 6m, alertname: High, exp_alerts: [] }
            """,
            rules: """
                groups:
                - name: g
                  rules: [{ alert: High, expr: m > 5, for: 2m, labels: { at: "{{ $value }}" } }]
                """
        )
        #expect(report.passed, "\(self.text(report))")
    }

    @Test func aGroupStandsOnceInTheOrder() throws {
        let report = try self.report(Self.test("", head: "rule_files: [r.yml]\ngroup_eval_order: [doubles, doubles]"))
        #expect(self.text(report).contains("x.test.yaml:2:29: group 'doubles' stands in the order already"))
    }

    @Test func anAlertThatIsLookedAtHasAName() throws {
        let report = try self.report(Self.test(#"alert_rule_test: [{ eval_time: 1m, alertname: "" }]"#))
        #expect(self.text(report).contains("x.test.yaml:5:49: 'alertname' is empty"))
    }

    @Test(arguments: [("'m[5m]'", "range vector"), ("'\"foo\"'", "string")])
    func whatIsNoVectorPassesNoTest(expression: String, type: String) throws {
        let report = try self.report(
            Self.test("promql_expr_test: [{ expr: \(expression), eval_time: 1m, exp_samples: [] }]")
        )
        #expect(self.text(report).contains("the expression yields a \(type)"), "\(self.text(report))")
    }
}
