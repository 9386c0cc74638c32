// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

/// A value in place of the element that has no partner.
struct FillTests {
    /// Site a has both, b only a level, c only a limit; d has two levels and no limit.
    private static let reader: MemorySeriesReader = {
        var reader = MemorySeriesReader()
        let series: [(Labels, Double)] = [
            (["__name__": "level", "site": "a"], 5), (["__name__": "level", "site": "b"], 6),
            (["__name__": "limit", "site": "a"], 4), (["__name__": "limit", "site": "c"], 3),
            (["__name__": "many", "site": "a", "at": "up"], 1), (["__name__": "many", "site": "a", "at": "down"], 2),
            (["__name__": "many", "site": "d", "at": "up"], 7), (["__name__": "many", "site": "d", "at": "down"], 8),
            (["__name__": "twice", "site": "e", "n": "1"], 1), (["__name__": "twice", "site": "e", "n": "2"], 2),
        ]
        for (labels, value) in series { reader.append(labels, at: Timestamp(milliseconds: 0), value) }
        return reader
    }()

    private func ask(_ text: String, confines: Bool = false) throws -> InstantResult {
        try Self.reader.answer(text, confinesFaults: confines)
    }

    @Test(
        arguments: [
            ("level - limit", ["{site=\"a\"} 1"]),
            ("level - fill(1) limit", ["{site=\"a\"} 1", "{site=\"b\"} 5", "{site=\"c\"} -2"]),
            ("level - fill_left(1) limit", ["{site=\"a\"} 1", "{site=\"c\"} -2"]),
            ("level - fill_right(1) limit", ["{site=\"a\"} 1", "{site=\"b\"} 5"]),
            ("level - fill_right(1) fill_left(2) limit", ["{site=\"a\"} 1", "{site=\"b\"} 5", "{site=\"c\"} -1"]),
            // A side without any element is filled, too; what neither has is not there.
            ("level - fill(1) nothing", ["{site=\"a\"} 4", "{site=\"b\"} 5"]),
            ("nothing - fill(1) level", ["{site=\"a\"} -4", "{site=\"b\"} -5"]),
            ("nothing - fill_right(1) level", []), ("nothing + fill(1) nothing", []),
            // A comparison keeps the left value, with the name where it is a sample's.
            ("level > fill(3) limit", ["level{site=\"a\"} 5", "level{site=\"b\"} 6"]),
            ("level >= fill(3) limit", ["level{site=\"a\"} 5", "level{site=\"b\"} 6", "{site=\"c\"} 3"]),
            ("level < bool fill(9) limit", ["{site=\"a\"} 0", "{site=\"b\"} 1", "{site=\"c\"} 0"]),
            (
                "many * on(site) group_left() fill_right(10) limit",
                [
                    "{at=\"down\", site=\"a\"} 8", "{at=\"down\", site=\"d\"} 80", "{at=\"up\", site=\"a\"} 4",
                    "{at=\"up\", site=\"d\"} 70",
                ]
            ),
            // One stands for the many of a group. As in Prometheus, left is where the many are.
            (
                "limit * on(site) group_right() fill_left(10) many",
                ["{at=\"down\", site=\"a\"} 8", "{at=\"up\", site=\"a\"} 4", "{site=\"c\"} 30"]
            ),
        ] as [(String, [String])]
    )
    func standsForWhatIsMissing(text: String, expected: [String]) throws {
        #expect(try self.ask(text).lines == expected)
    }

    @Test(arguments: [
        ("many - ignoring(at) fill_right(0) limit", "many-to-one matching must be explicit"),
        ("many - ignoring(at) fill_right(0) nothing", "many-to-one matching must be explicit"),
        ("many - on(site) group_left(at) fill_right(0) nothing", "grouping labels must ensure unique matches"),
        ("nothing - ignoring(n) fill_left(0) twice", "many-to-many matching not allowed"),
        ("level - ignoring(n) fill_right(0) twice", "many-to-many matching not allowed"),
    ])
    func isAsAmbiguousAsASample(text: String, message: String) throws {
        let error = try #require(throws: PromQLError.self) { try self.ask(text) }
        #expect(error.code == .matching)
        #expect(error.message.contains(message), "\(error)")
    }

    @Test func whatIsAmbiguousIsLeftOutWithItsGroup() throws {
        let many = try self.ask("many - ignoring(at) fill(0) limit", confines: true)
        #expect(many.lines == ["{site=\"c\"} -3"])
        #expect(many.faults.map { "\($0.labels)" }.sorted() == ["{site=\"a\"}", "{site=\"d\"}"])
        let twice = try self.ask("level - ignoring(n) fill(0) twice", confines: true)
        #expect(twice.lines == ["{site=\"a\"} 5", "{site=\"b\"} 6"])
        #expect(twice.faults.map { "\($0.labels)" } == ["{site=\"e\"}"])
    }
}
