// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

/// What cannot be paired without ambiguity spoils its own match group, where the query asks for that.
struct MatchFaultTests {
    /// Site a has two limits; b has one, and a depth; c has two levels.
    private static let reader: MemorySeriesReader = {
        var reader = MemorySeriesReader()
        let series: [(Labels, Double)] = [
            (["__name__": "level", "site": "a", "org": "x"], 5), (["__name__": "level", "site": "b", "org": "x"], 6),
            (["__name__": "level", "site": "c", "at": "up"], 7), (["__name__": "level", "site": "c", "at": "down"], 8),
            (["__name__": "limit", "site": "a"], 1), (["__name__": "limit", "site": "a", "by": "other"], 2),
            (["__name__": "limit", "site": "b"], 1), (["__name__": "limit", "site": "c"], 1),
            (["__name__": "depth", "site": "b", "org": "x"], -6),
        ]
        for (labels, value) in series { reader.append(labels, at: Timestamp(milliseconds: 0), value) }
        return reader
    }()

    private func ask(_ text: String, confines: Bool = true) throws -> InstantResult {
        try Self.reader.answer(text, confinesFaults: confines)
    }

    @Test(
        arguments: [
            // Both kinds of ambiguity, each in its group.
            ("level > on(site) limit", ["{site=\"b\"} 6"], ["{site=\"a\"}", "{site=\"c\"}"]),
            (
                "level > on(site) group_left() limit",
                [
                    "level{at=\"down\", site=\"c\"} 8", "level{at=\"up\", site=\"c\"} 7",
                    "level{org=\"x\", site=\"b\"} 6",
                ],
                ["{site=\"a\"}"]
            ),
            ("level - ignoring(org, at, by) limit", ["{site=\"b\"} 5"], ["{site=\"a\"}", "{site=\"c\"}"]),
            // What is summed up over an ambiguous group is as unknown as the group.
            ("sum by (site) (level > on(site) limit)", ["{site=\"b\"} 6"], ["{site=\"a\"}", "{site=\"c\"}"]),
            ("count by (org) (level > on(site) group_left() limit)", ["{org=\"x\"} 1", "{} 2"], ["{}"]),
            ("max without (site) (level > on(site) group_left() limit{site!=\"c\"})", ["{org=\"x\"} 6"], ["{}"]),
            // A number, an absence or a side that is matched on nothing may decide everything.
            ("level{site=\"b\"} > scalar(level > on(site) limit)", [], ["{}"]),
            ("absent(level{site=\"a\"} > on(site) limit)", ["{} 1"], ["{}"]),
            ("limit{site=\"b\"} and on() (level{site=\"a\"} > on(site) limit)", [], ["{}"]),
            (
                "limit unless on(site) (level > on(site) group_left() limit)",
                ["limit{by=\"other\", site=\"a\"} 2", "limit{site=\"a\"} 1"],
                ["{site=\"a\"}"]
            ),
            // Names that are gone, and names that are made alike.
            (
                "abs({__name__=~\"level|depth\", site=~\"a|b\"})", ["{org=\"x\", site=\"a\"} 5"],
                ["{org=\"x\", site=\"b\"}"]
            ),
            ("label_replace(level{site=\"c\"}, \"at\", \"\", \"at\", \".*\")", [], ["{site=\"c\"}"]),
            ("label_replace(level > on(site) limit, \"site\", \"z\", \"site\", \"b\")", ["{site=\"z\"} 6"], ["{}"]),
            ("avg_over_time((level > on(site) limit)[1m:1m])", ["{site=\"b\"} 6"], ["{site=\"a\"}", "{site=\"c\"}"]),
        ] as [(String, [String]?, [String]?)]
    )
    func spoilsItsGroup(text: String, expected: [String]?, faults: [String]?) throws {
        let result = try self.ask(text)
        #expect(result.lines == expected)
        #expect(result.faults.map { "\($0.labels)" }.sorted() == faults)
    }

    @Test func aQueryOfPeopleIsAnErrorAsInPrometheus() throws {
        for text in ["level > on(site) limit", "level > on(site) group_left() limit"] {
            let error = #expect(throws: PromQLError.self) { try self.ask(text, confines: false) }
            #expect(error?.code == .matching)
        }
        let result = try self.ask("level > on(site) group_left() limit{by=\"\"}", confines: false)
        #expect(result.faults.isEmpty && result.lines.count == 4)
    }

    @Test func manyGroupsAreEachSaidOnce() throws {
        var reader = MemorySeriesReader()
        for site in 0..<50 {
            for twin in 0..<3 {
                let labels: Labels = ["__name__": "level", "site": "\(site)", "twin": "\(site % 2 == 0 ? twin : 0)"]
                reader.append(labels, at: Timestamp(milliseconds: 0), 1)
            }
            let limit: Labels = ["__name__": "limit", "site": "\(site)"]
            reader.append(limit, at: Timestamp(milliseconds: 0), 0)
        }
        var options = EvaluationOptions()
        options.confinesFaults = true
        let result = try Evaluator(reader: reader, options: options)
            .instant(try Query(parsing: "level > on(site) limit"), at: Timestamp(milliseconds: 0))
        #expect(result.lines.count == 25)
        #expect(Set(result.faults.map(\.labels)).count == 25 && result.faults.count == 25)
    }
}
