// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Testing

struct YAMLValueTests {
    private func problems(_ text: String, keys: [String] = ["site", "kind", "value"]) -> [String] {
        let collector = ProblemCollector()
        _ = YAMLValue.parse(text, file: "x.yaml", problems: collector)?.mapping(keys: keys)
        return collector.problems.map(\.description)
    }

    @Test func readsScalarsOfEveryKind() throws {
        let collector = ProblemCollector()
        let text = "site: xingzi\nkind: true\nvalue: [1, 2.5, .inf, -3]\n"
        let map = try #require(YAMLValue.parse(text, file: "x.yaml", problems: collector)?.anyMapping())
        #expect(map.required("site")?.string == "xingzi")
        #expect(map["kind"]?.bool == true)
        #expect(map["value"]?.list?.compactMap(\.double) == [1, 2.5, .infinity, -3])
        #expect(map["value"]?.list?.first?.int == 1)
        #expect(map["value"]?.isList == true)
        #expect(map.entries.map(\.key) == ["site", "kind", "value"])
        #expect(collector.problems.isEmpty)
    }

    @Test func keepsTextThatLooksLikeANumber() throws {
        let collector = ProblemCollector()
        let map = try #require(
            YAMLValue.parse("site: \"0123\"\nvalue: 2000-01-01", file: "x.yaml", problems: collector)?.anyMapping()
        )
        #expect(map["site"]?.string == "0123")
        #expect(map["value"]?.string == "2000-01-01")
    }

    @Test(arguments: [
        ("site: a\nstie: b\n", ["x.yaml:2:1: unknown key 'stie'; did you mean 'site'?"]),
        ("site: a\nelephant: b\n", ["x.yaml:2:1: unknown key 'elephant'; known here: kind, site, value"]),
        ("site: a\nsite: b\n", ["x.yaml:1:1: key 'site' is given twice; keep one"]),
        ("- a\n", ["x.yaml:1:1: expected a mapping (key: value), found a list"]),
        ("plain\n", ["x.yaml:1:1: expected a mapping (key: value), found 'plain'"]),
        ("", ["x.yaml: the file is empty"]),
        ("# only a comment\n", ["x.yaml: the file is empty"]),
    ])
    func saysWhatIsWrongAndWhere(text: String, expected: [String]) {
        #expect(self.problems(text) == expected)
    }

    @Test func namesThePlaceOfASyntaxError() throws {
        let found = self.problems("site: a\nkind: [1, 2\nvalue: x\n")
        let problem = try #require(found.first)
        #expect(found.count == 1)
        #expect(problem.hasPrefix("x.yaml:3:"))
        #expect(problem.contains("not YAML"))
    }

    @Test func reportsEveryKeyThatIsGivenTwiceAndReadsOn() {
        let text = """
            site: {a: 1, "a": 2, b: 3, c: 4, c: 5, c: 6}
            kind:
            - 'name': x
              name: y
              长: 1
              长: 2
            stie: 5
            kind: z
            """
        #expect(
            Set(self.problems(text)) == [
                "x.yaml:1:8: key 'a' is given twice; keep one", "x.yaml:1:28: key 'c' is given twice; keep one",
                "x.yaml:1:34: key 'c' is given twice; keep one", "x.yaml:2:1: key 'kind' is given twice; keep one",
                "x.yaml:3:3: key 'name' is given twice; keep one", "x.yaml:5:3: key '长' is given twice; keep one",
                "x.yaml:7:1: unknown key 'stie'; did you mean 'site'?",
            ]
        )
    }

    @Test func readsTheFirstValueOfAKeyThatIsGivenTwice() throws {
        let collector = ProblemCollector()
        let value = YAMLValue.parse("site: {x: 1}\nsite: 2\nkind: 3", file: "x.yaml", problems: collector)
        let map = try #require(value?.anyMapping())
        #expect(map.entries.map(\.key) == ["site", "kind"])
        #expect(map["site"]?.isMapping == true)
        #expect(collector.problems.count == 1)
    }

    @Test func takesOverWhatAnotherMappingSays() throws {
        let collector = ProblemCollector()
        let text = "site: &one {a: 1, b: 2}\nkind: &two {c: 3, a: 9}\nvalue: {<<: [*one, *two], b: 5}\n"
        let map = try #require(YAMLValue.parse(text, file: "x.yaml", problems: collector)?.anyMapping())
        let value = try #require(map["value"]?.mapping(keys: ["a", "b", "c"]))
        #expect(value.entries.map { "\($0.key)\($0.value.string ?? "")" } == ["b5", "a1", "c3"])
        #expect(collector.problems.isEmpty)
        #expect(self.problems("<<: 5\nsite: a\n") == ["x.yaml:1:5: expected a mapping (key: value), found '5'"])
    }

    @Test func aSecondDocumentIsRefusedUnlessOneAsksForTheFirst() throws {
        let text = "site: a\n---\nsite: b\n"
        #expect(
            self.problems(text) == [
                "x.yaml:3:1: a second document begins here, which nobody reads; write it into a file of its own"
            ]
        )
        let collector = ProblemCollector()
        let first = try #require(YAMLValue.firstDocument(text, file: "x.yaml", problems: collector))
        #expect(first.value.anyMapping()?["site"]?.string == "a")
        #expect(first.next?.line == 3)
        #expect(collector.problems.isEmpty)
    }

    @Test func reportsEveryUnknownKeyNotTheFirst() {
        #expect(self.problems("a: 1\nb: 2\nsite: x\nc: 3\n").count == 3)
    }

    @Test func reportsAValueOfTheWrongKindAtItsPlace() throws {
        let collector = ProblemCollector()
        let text = "site: {a: 1}\nkind: maybe\nvalue: ten\n"
        let map = try #require(YAMLValue.parse(text, file: "x.yaml", problems: collector)?.anyMapping())
        #expect(map["site"]?.string == nil)
        #expect(map["kind"]?.bool == nil)
        #expect(map["value"]?.double == nil)
        #expect(map["value"]?.int == nil)
        #expect(map["value"]?.list == nil)
        #expect(
            collector.problems.map(\.description) == [
                "x.yaml:1:7: expected a text, found a mapping",
                "x.yaml:2:7: expected true or false, found 'maybe'",
                "x.yaml:3:8: expected a number, found 'ten'",
                "x.yaml:3:8: expected a whole number, found 'ten'",
                "x.yaml:3:8: expected a list, found 'ten'",
            ]
        )
    }

    @Test func readsNullAsAbsentAndReportsItWhereItIsRequired() throws {
        let collector = ProblemCollector()
        let map = try #require(
            YAMLValue.parse("site: ~\nkind:\nvalue: \"null\"", file: "x.yaml", problems: collector)?.anyMapping()
        )
        #expect(map["site"] == nil)
        #expect(map["value"]?.string == "null")
        #expect(map.required("kind") == nil)
        #expect(collector.problems.map(\.description) == ["x.yaml:1:1: 'kind' is missing"])
    }

    @Test func sortsProblemsByPlaceAndThrowsThemTogether() {
        let collector = ProblemCollector()
        for (line, column) in [(3, 1), (1, 9), (1, 2)] {
            collector.report(Problem(file: "x.yaml", line: line, column: column, message: "m"))
        }
        let error = #expect(throws: ProblemList.self) { try collector.throwIfAny() }
        #expect(error?.description == "x.yaml:1:2: m\nx.yaml:1:9: m\nx.yaml:3:1: m")
    }
}
