// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import PromQL
import StrictYAML
import Telemetry
import Testing

struct RuleFileTests {
    private static func problems(_ text: String) -> String {
        do {
            _ = try RuleFileLoader().parse(text)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func anErrorOfAnExpressionStandsAtItsPlaceInTheFile() {
        let text = """
            groups:
              - name: g
                rules:
                  - alert: Plain
                    expr: sum(x) +
                  - alert: Quoted
                    expr: "x > )"
                  - alert: Block
                    expr: |
                      x
                      > on(site) ) y
                  - alert: Folded
                    expr: >-
                      x
                      and nofunction(y)
                  - alert: Level
                    expr: x{level="$level"} > $threshold )
                    levels: { blue: 50 }
            """
        let lines = Self.problems(text).split(separator: "\n").map { $0.prefix { $0 != " " } }
        #expect(
            lines == [
                "rules.yaml:5:23:", "rules.yaml:7:20:", "rules.yaml:11:22:", "rules.yaml:15:15:", "rules.yaml:17:46:",
            ]
        )
    }

    @Test(arguments: [
        ("- alert: A\n  expr: x\n  fro: 5m", "6:5: unknown key 'fro'; did you mean 'for'?"),
        ("- expr: x", "4:5: a rule needs 'alert' or 'record'"),
        ("- alert: A", "4:12: 'expr' is missing"),
        ("- alert: A\n  expr: x[5m]", "5:11: the expression yields a range vector"),
        ("- alert: A\n  expr: x\n  for: 5 minutes", "6:10: '5 minutes' is no duration"),
        ("- alert: A\n  expr: x\n  levels: [blue, pink]", "6:20: 'pink' is no level"),
        ("- alert: A\n  expr: x\n  no_data: ok", "6:14: 'ok' is no policy for no_data; known: unknown, keep"),
        ("- alert: A\n  expr: x\n  labels: { 1a: b }", "6:15: '1a' is no label name"),
        (
            "- alert: A\n  expr: x\n  annotations: { s: 'at {{ $lable.x }}' }",
            "6:30: annotation 's': undefined variable"
        ),
        ("- alert: A\n  expr: x\n  day_boundary: 8h", "6:19: '8h' is no time of day"),
        ("- record: a b\n  expr: x", "4:13: 'a b' is no metric name"),
        ("- record: a\n  expr: x\n  for: 5m", "6:5: a recording rule has no 'for'"),
    ])
    func saysWhatIsWrongAndWhere(rule: String, expected: String) {
        let indented = rule.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        let found = Self.problems("groups:\n- name: g\n  rules:\n\(indented)")
        #expect(found.contains("rules.yaml:\(expected)"))
    }

    @Test func reportsAllProblemsNotTheFirst() {
        let text = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: (\n  - alert: B\n    expr: )\n    foo: 1\n"
        #expect(Self.problems(text).split(separator: "\n").count == 3)
    }

    @Test func levelsComeInThreeForms() throws {
        let text = """
            groups:
              - name: g
                interval: 30s
                rules:
                  - alert: List
                    expr: x > on() t{level="$level"}
                    levels: [blue, red]
                  - alert: Constant
                    expr: x > $threshold
                    clear: x < $threshold - 5
                    levels: { blue: 50, red: 100 }
                    labels: { hazard: rain }
                  - alert: Each
                    expr: x
                    for: 1m
                    levels: { yellow: { expr: "x > 1", for: 5m }, red: {} }
            """
        let rules = try RuleFileLoader().parse(text, name: "flood/stage.yaml", hazard: "flood").alerts
        #expect(
            rules.map(\.id) == [
                "flood/stage/g/List/blue", "flood/stage/g/List/red", "flood/stage/g/Constant/blue",
                "flood/stage/g/Constant/red", "flood/stage/g/Each/yellow", "flood/stage/g/Each/red",
            ]
        )
        #expect(rules.map(\.hazard.rawValue) == ["flood", "flood", "rain", "rain", "flood", "flood"])
        #expect(rules.map(\.level) == [.blue, .red, .blue, .red, .yellow, .red])
        #expect(rules[0].expr.description.contains("level=\"blue\""))
        #expect(rules[3].expr.description == "x > 100")
        #expect(rules[3].clear?.description == "x < 100 - 5")
        #expect(rules.map(\.hold) == [0, 0, 0, 0, 5 * .minute, .minute])
        #expect(rules.allSatisfy { $0.interval == 30 * .second && $0.lateness == .day })
    }

    @Test func functionsThatCountInUTCAreFoundWhereTheyStand() throws {
        let text = """
            groups:
              - name: g
                rules:
                  - alert: Levels
                    expr: x > $threshold and on() hour() > 3
                    clear: x{hour="hour("} < 1 and on() month (vector(time())) < 6
                    maybe: count by (year) (x) > minute()
                    levels: { blue: 5, red: 10 }
                  - record: a:b
                    expr: >-
                      x
                      and on() day_of_week() == 1
            """
        let rules = try RuleFileLoader().parse(text)
        #expect(rules.findings.map(\.kind) == [.utcTime, .utcTime, .utcTime])
        #expect(
            rules.findings.map { "\($0.problem)".prefix { $0 != "(" } } == [
                "rules.yaml:5:39: hour", "rules.yaml:6:45: month", "rules.yaml:12:20: day_of_week",
            ]
        )
        var strict = RuleFileLoader()
        strict.refusesUTCTime = true
        let error = #expect(throws: ProblemList.self) { try strict.parse(text) }
        #expect(error?.problems == rules.findings.map(\.problem))
    }

    @Test func recordingRulesAreTaken() throws {
        let rules = try RuleFileLoader().parse("groups:\n- name: g\n  rules:\n  - record: a:b\n    expr: sum(x)\n")
        #expect(rules.recordings.map(\.record) == ["a:b"])
        #expect(rules.findings.isEmpty)
    }
}

struct TemplateTests {
    @Test(arguments: [
        ("{{ $labels.site }} 水位 {{ $value }} m", "xingzi 水位 19.07 m"),
        ("{{ $value | printf \"%.1f\" }}/{{ printf \"%.3f\" $threshold }}", "19.1/19.000"),
        ("{{ $level }}{{ $labels.none }}", "blue"),
        ("{{ $value | humanize }} {{ .Value }} {{ .Labels.site | toUpper }}", "19.07 19.07 XINGZI"),
        (
            "{{ 1234567 | humanize }} {{ 0.5 | humanizePercentage }} {{ 93784 | humanizeDuration }}",
            "1.235M 50% 1d 2h 3m 4s"
        ),
        ("a {{- $level -}} b", "abluebb".replacing("bb", with: "b")),
        ("{{ printf \"%s is %v of %d%%\" $labels.site $level 7 }}", "xingzi is blue of 7%"),
    ])
    func renders(text: String, expected: String) throws {
        let context = TemplateContext(labels: ["site": "xingzi"], value: 19.07, threshold: 19, level: "blue")
        #expect(try Template(parsing: text).render(context) == expected)
    }

    @Test(arguments: [
        ("a {{ $value", 2, "not closed"), ("{{ }}", 2, "empty"), ("{{ $label.x }}", 3, "undefined variable $label"),
        ("{{ $value | shout }}", 12, "'shout' is not known"), ("{{ $value $level }}", 2, "function is expected"),
        ("水 {{ range }}", 7, "'range' is not known"), ("{{ \"a }}", 3, "not closed"),
    ])
    func saysWhatItDoesNotKnow(text: String, offset: Int, message: String) {
        let error = #expect(throws: TemplateError.self) { try Template(parsing: text) }
        #expect(error?.message.contains(message) == true)
        #expect(error?.offset == offset)
    }
}
