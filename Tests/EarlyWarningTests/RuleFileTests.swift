// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Foundation
import PromQL
import StrictYAML
import Telemetry
import TestSupport
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

    /// With no file to be opened any more it was once taken for empty, and all rules were gone.
    @Test(.timeLimit(.minutes(1)))
    func aFolderThatCannotBeReadIsNotAnEmptyOne() async {
        await #expect(processExitsWith: .success) { [folder = ShippedRulesTests.rules as String] in
            let files = try RuleFileLoader.ruleFiles(below: folder)
            #expect(!files.isEmpty)
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
            let error = #expect(throws: ProblemList.self) { try RuleFileLoader().load(paths: [folder]) }
            #expect(error?.problems.first?.message.hasPrefix("the folder cannot be read") == true)
        }
    }

    /// It was once taken for empty.
    @Test func aLinkToAFolderIsTheFolder() throws {
        try inTemporaryFolder { folder in
            let link = folder.appending(path: "Rules").path
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: ShippedRulesTests.rules)
            let names = try RuleFileLoader.ruleFiles(below: ShippedRulesTests.rules)
            #expect(try RuleFileLoader.ruleFiles(below: link) == names)
            #expect(try !RuleFileLoader.ruleFiles(below: link + "/").isEmpty)
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
        ("- alert: A\n  expr: x\n  labels: { __name__: b }", "6:15: '__name__' is no label name"),
        ("- alert: A\n  expr: x\n  annotations: { '': b }", "6:20: '' is no label name"),
        (
            "- alert: A\n  expr: x\n  labels: { hazard: fload }",
            "6:23: no hazard is called 'fload'; did you mean 'flood'?"
        ),
        (
            "- alert: A\n  expr: x\n  labels: { hazard: none }",
            "6:23: no hazard is called 'none'; known: device_health,"
        ),
        ("- alert: A\n  expr: x\n  labels: { level: purple }", "6:22: 'purple' is no level; known: notice, blue,"),
        ("- alert: A\n  expr: x\n  levels: []", "6:13: 'levels' is empty"),
        ("- alert: A\n  expr: x\n  levels: {}", "6:13: 'levels' is empty"),
        (
            "- alert: A\n  expr: x > $threshold\n  levels: { blue: .nan }",
            "6:21: the threshold of level 'blue' is no finite number"
        ),
        (
            "- alert: A\n  expr: x > $threshold\n  levels: { blue: +Inf }",
            "6:21: the threshold of level 'blue' is no finite number"
        ),
        (
            "- alert: A\n  expr: x > $threshold\n  levels: [blue]",
            "5:15: '$threshold' has no value, since 'levels' gives none; write levels: { blue: 50 }"
        ),
        ("- alert: A\n  expr: x > $threshold", "5:15: '$threshold' has no value, since the rule has no 'levels'"),
        ("- alert: A\n  expr: x > $level", "5:15: '$level' has no value, since the rule has no 'levels'"),
        (
            "- alert: A\n  expr: sum_over_time(m[10y:1s]) > 1",
            "5:11: a subquery has 315360000 steps, more than the 10000000 that can be evaluated"
        ),
        (
            "- alert: A\n  expr: m\n  labels: { x: '{{ query \"m\" | len }}' }",
            "6:18: label 'x': 'query' is for annotations"
        ),
        ("- record: a\n  expr: sum_over_time(m[1d:1ms])", "5:11: a subquery has 86400000 steps"),
        ("- alert: A\n  expr: x\n  for: 1m\n  for: 2m", "6:5: key 'for' is given twice; keep one"),
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

    @Test func aGroupThatIsWrongHidesNothingInIt() {
        let text = """
            groups:
              - name: [g]
                interval: fast
                limit: many
                query_offset: x
                rules:
                  - alert: { a: b }
                    expr: [m]
                    for: {}
                    labels: [a]
                    levels: 5
                    season: summer
                  - record: [r]
                    expr: m >
            """
        let lines = Self.problems(text).split(separator: "\n").map { $0.prefix { $0 != " " } }
        #expect(
            lines == [
                "rules.yaml:2:11:", "rules.yaml:3:15:", "rules.yaml:4:12:", "rules.yaml:5:19:", "rules.yaml:7:16:",
                "rules.yaml:8:15:", "rules.yaml:9:14:", "rules.yaml:10:17:", "rules.yaml:11:17:", "rules.yaml:12:17:",
                "rules.yaml:13:17:", "rules.yaml:14:18:",
            ]
        )
    }

    @Test func aHazardOfOnesOwnIsTheFolderOfItsRules() throws {
        let text = "groups: [{ name: g, rules: [{ alert: A, expr: x, labels: { hazard: locusts } }] }]"
        #expect(throws: ProblemList.self) { try RuleFileLoader().parse(text, hazard: "flood") }
        #expect(try RuleFileLoader().parse(text, hazard: "locusts").alerts.map(\.hazard.rawValue) == ["locusts"])
    }

    @Test func whatPrometheusTakesIsTaken() throws {
        let text = """
            groups:
              - name: g
                labels: { "ins-tance": localhost }
                rules:
                  - &first
                    alert: First
                    expr: &expr x > 1
                    annotations: { "what-is": up }
                  - <<: *first
                    alert: Second
                  - { alert: Third, expr: *expr }
            ---
            groups: []
            """
        let rules = try RuleFileLoader().parse(text)
        #expect(rules.alerts.map(\.name) == ["First", "Second", "Third"])
        #expect(rules.alerts.map(\.annotations.count) == [1, 1, 0])
        #expect(rules.alerts[1].labels.map(\.name) == ["ins-tance"])
        #expect(
            rules.findings.map { "\($0.problem)" } == [
                "rules.yaml:13:1: a second document begins here, which nobody reads; write it into a file of its own"
            ]
        )
    }

    @Test func aRecordingRuleDoesNotReadItselfByASelectorWithoutAName() throws {
        let text = """
            groups:
              - name: g
                rules:
                  - { record: all, expr: '{job="a"} or {__name__=~"al."}' }
                  - { record: other, expr: '{__name__=~"x|y"}' }
            """
        let rules = try RuleFileLoader().parse(text)
        #expect(
            rules.recordings[0].expr.description == #"{job="a",__name__!="all"} or {__name__=~"al.",__name__!="all"}"#
        )
        #expect(rules.recordings[1].expr.description == #"{__name__=~"x|y"}"#)
        #expect(rules.findings.map(\.kind) == [.note])
        #expect(
            Self.problems("groups: [{ name: g, rules: [{ record: a, expr: a + 1 }] }]").contains("computed from itself")
        )
    }

    @Test func groupsStandInTheOrderOfTheFile() throws {
        let text = """
            groups:
              - name: second
                limit: 5
                rules:
                  - { record: a, expr: x }
                  - { alert: B, expr: x }
                  - { record: c, expr: x }
              - name: first
                rules: [{ alert: D, expr: x }]
            """
        let groups = try RuleFileLoader().parse(text).groups
        #expect(groups.map(\.name) == ["second", "first"])
        #expect(groups.map(\.limit) == [5, 0])
        let names = groups[0].rules
            .map { rule in
                switch rule {
                case .alert(let alert): alert.name
                case .recording(let recording): recording.record
                }
            }
        #expect(names == ["a", "B", "c"])
    }

    @Test(arguments: [
        ("x > 1", "x offset 2m > 1"), ("rate(x[5m] offset 1m)", "rate(x[5m] offset 3m)"),
        ("max_over_time(sum(x)[1h:5m])", "max_over_time(sum(x)[1h:5m] offset 2m)"), ("x @ 60", "x @ 60.000"),
        ("x @ end()", "x @ end() offset 2m"), ("time() - timestamp(x)", "(time() - 120) - timestamp(x offset 2m)"),
        ("hour() == 3", "hour(vector(time() - 120)) == 3"),
        ("predict_linear(x[1h], 60)", "predict_linear(x[1h] offset 2m, (60) - 120)"),
    ])
    func anAlertOfAGroupWithAnOffsetLooksBackByIt(expr: String, expected: String) throws {
        let text = "groups: [{ name: g, query_offset: 2m, rules: [{ alert: A, expr: '\(expr)' }] }]"
        #expect(try RuleFileLoader().parse(text).alerts.map(\.expr.description) == [expected])
    }

    @Test func aRecordingOfAGroupWithAnOffsetIsNotDelayedAndSaysSo() throws {
        let text = "groups: [{ name: g, query_offset: 2m, rules: [{ record: a, expr: x }] }]"
        let rules = try RuleFileLoader().parse(text)
        #expect(rules.recordings.map(\.expr.description) == ["x"])
        #expect(rules.findings.contains { $0.problem.message.hasPrefix("'query_offset' does not delay") })
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
        ("{{ if gt $value $threshold }}above{{ else }}below{{ end }}", "above"),
        ("{{ if lt $value 5.0 }}a{{ else if eq $level \"blue\" \"red\" }}b{{ else }}c{{ end }}", "b"),
        ("{{ with $labels.site }}at {{ . }}{{ end }}{{ with $labels.none }}x{{ else }}-{{ end }}", "at xingzi-"),
        ("{{ range $name, $text := $labels }}{{ $name }}={{ $text }};{{ end }}", "site=xingzi;"),
        ("{{ range $labels }}{{ . }}{{ end }}{{ range $externalLabels }}x{{ else }}none{{ end }}", "xingzinone"),
        ("{{ $x := $value }}{{ $x = 5 }}{{ $x }}{{ /* nothing */ $level }}", "5blue"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x = 3 }}{{ end }}{{ $x }}", "1"),
        (
            "{{ $labels }} {{ len $labels }} {{ index $labels \"site\" }} {{ $.Value }} {{ $.Labels.site }}",
            "map[site:xingzi] 1 xingzi 19.07 xingzi"
        ),
        ("{{ humanize1024 2048.0 }} {{ 1536 | humanize1024 }} {{ humanize1024 -5 }}", "2ki 1.5ki -5"),
        (
            "{{ title \"ab c\" }} {{ reReplaceAll \"a(.)\" \"b$1\" \"axay\" }} {{ match \"a.*\" \"xabc\" }}",
            "Ab C bxby true"
        ),
        ("{{ if and (gt $value 19.0) (not (eq $level \"red\")) }}{{ print $value \"m\" }}{{ end }}", "19.07m"),
        ("{{ (printf \"%.1f\" $value) | printf \"%q\" }} {{ \"a \\\"b\\\" }}\" }}", "\"19.1\" a \"b\" }}"),
        ("{{ $threshold | printf \"%.1f\" | printf \"[%s]\" }}{{ $externalURL }}{{ $.labels.site }}", "[19.0]"),
    ])
    func renders(text: String, expected: String) throws {
        let context = TemplateContext(labels: ["site": "xingzi"], value: 19.07, threshold: 19, level: "blue")
        #expect(try Template(parsing: text).render(context) == expected)
    }

    /// As promtool 2.42 renders them.
    @Test(arguments: [
        ("{{ with query \"sum(m)\" }}{{ . | first | value | humanize }}{{ end }}", "12"),
        (
            "{{ range query \"m\" | sortByLabel \"i\" }}{{ .Labels.i }}={{ .Value }} {{ label \"i\" . }},{{ end }}",
            "1=9 1,2=3 2,"
        ),
        (
            "{{ query \"m\" | len }} {{ (query \"sum(m)\") | first | value }} {{ (index (query \"m\") 1).Value }}",
            "2 12 9"
        ),
        ("{{ range $i, $s := query \"m\" }}{{ $i }}{{ $s.Labels.i }}{{ end }}", "0211"),
        ("{{ with query \"none\" }}some{{ else }}none{{ end }}", "none"),
        ("{{ range query (printf \"m{i=%q}\" $labels.i) }}{{ . | strvalue }}{{ end }}", "text"),
        ("a {{/* nothing */}}b {{- /* either */ -}} c", "a bc"),
        ("{{ $labels }} {{ $labels.own }} {{ len $labels }}", "map[__name__:m i:1] x 2"),
        (
            "{{ humanizeTimestamp 0 }} {{ 1.5 | humanizeTimestamp }}",
            "1970-01-01 00:00:00 +0000 UTC 1970-01-01 00:00:01.5 +0000 UTC"
        ),
        (
            "{{ stripPort \"a:80\" }} {{ stripDomain \"a.b.c:80\" }} {{ stripDomain \"10.0.0.1:80\" }}",
            "a a:80 10.0.0.1:80"
        ),
        ("{{ externalURL }} {{ pathPrefix }} {{ tableLink \"up\" }}", "http://x/p /p /graph?g0.expr=up&g0.tab=1"),
        ("{{ graphLink \"up{a=\\\"b\\\"} + 1\" }}", "/graph?g0.expr=up%7Ba%3D%22b%22%7D+%2B+1&g0.tab=0"),
        (
            "{{ reReplaceAll \"(.)(b)\" \"$1c-${2}${1}$$\" \"abxabz\" }} {{ reReplaceAll \"^\" \"x\" \"a\" }}",
            "-ba$x-ba$z xa"
        ),
        ("{{ safeHtml \"<b>\" }} {{ parseDuration \"1h\" }} {{ urlquery \"a b\" }}", "<b> 3600 a+b"),
    ])
    func asksTheStore(text: String, expected: String) throws {
        var context = TemplateContext(labels: ["__name__": "m", "i": "1"], value: 9, externalURL: "http://x/p")
        context.ownLabels = ["own": "x"]
        let series = [VectorSample(labels: ["i": "2"], value: 3), VectorSample(labels: ["i": "1"], value: 9)]
        context.ask = { query in
            switch query {
            case "m": series
            case "sum(m)": [VectorSample(labels: .empty, value: 12)]
            case "m{i=\"1\"}": [VectorSample(labels: ["__value__": "text"], value: 9)]
            default: []
            }
        }
        #expect(try Template(parsing: text).render(context) == expected)
    }

    /// Thousands of series in loops hold nobody up.
    @Test func whatGoesRoundTooOftenIsNotSaid() throws {
        let loop = "{{ range query \"m\" }}"
        let template = try Template(parsing: loop + loop + loop + "x{{ end }}{{ end }}{{ end }}")
        var context = TemplateContext(labels: .empty, value: 1)
        context.ask = { _ in (0..<5000).map { VectorSample(labels: ["i": "\($0)"], value: 1) } }
        #expect(template.complete(context) == nil)
        #expect(template.render(context).utf8.count < 10_000)
    }

    /// The store without an answer is no text with a hole.
    @Test func whatCannotBeAnsweredIsNotSaid() throws {
        let template = try Template(parsing: "now {{ query \"none\" | first | value }}")
        #expect(template.complete(TemplateContext(labels: .empty, value: 1)) == nil)
    }

    /// As promtool 2.42 prints them.
    @Test(arguments: [
        ("{{ $value }}", 1_728_000, "1.728e+06"), ("{{ $value }}", 123_456_789, "1.23456789e+08"),
        ("{{ $value }}", 999_999.5, "999999.5"), ("{{ $value }}", 100_000, "100000"), ("{{ $value }}", 1e21, "1e+21"),
        ("{{ $value }}", 0.00001234, "1.234e-05"), ("{{ printf \"%g\" $value }}", 999_999.5, "999999.5"),
        ("{{ printf \"%g\" $value }}", 1_728_000, "1.728e+06"), ("{{ printf \"%.3g\" $value }}", 1234.5, "1.23e+03"),
        ("{{ printf \"%f\" $value }}", .infinity, "+Inf"), ("{{ printf \"%8.1f|\" $value }}", -.infinity, "    -Inf|"),
        ("{{ printf \"%-8g|\" $value }}", 2.5, "2.5     |"), ("{{ printf \"%.1f\" $value }}", .nan, "NaN"),
        ("{{ printf \"%.0f\" $value }}", 1_728_000, "1728000"),
    ])
    func numbersLookAsInGo(text: String, value: Double, expected: String) throws {
        #expect(try Template(parsing: text).render(TemplateContext(labels: .empty, value: value)) == expected)
    }

    @Test(arguments: [
        ("a {{ $value", 2, "not closed"), ("{{ }}", 2, "empty"), ("{{ $label.x }}", 3, "undefined variable $label"),
        ("{{ $value | shout }}", 12, "'shout' is not known"), ("{{ $value $level }}", 2, "function is expected"),
        ("水 {{ define }}", 7, "'define' of Go's templates is not available here"),
        ("{{ if $value }}x", 0, "'if' has no 'end'"),
        ("x {{ end }}", 5, "nothing is open here"), ("{{ range }}{{ end }}", 2, "an action is empty"),
        ("{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", 38, "undefined variable $x"),
        ("{{ printf (len $labels }}", 10, "'(' is not closed"), ("{{ $value ) }}", 10, "'}}' is expected"),
        ("{{ \"a }}", 3, "not closed"),
    ])
    func saysWhatItDoesNotKnow(text: String, offset: Int, message: String) {
        let error = #expect(throws: TemplateError.self) { try Template(parsing: text) }
        #expect(error?.message.contains(message) == true)
        #expect(error?.offset == offset)
    }
}
