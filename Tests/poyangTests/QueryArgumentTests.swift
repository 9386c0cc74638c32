// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Telemetry
import Testing

@testable import poyang

struct QueryArgumentTests {
    private static let now = Timestamp(milliseconds: 1_655_798_400_000)

    @Test(arguments: [
        ("now", "2022-06-21T16:00:00+08:00"), ("-6h", "2022-06-21T10:00:00+08:00"),
        ("now-1d", "2022-06-20T16:00:00+08:00"), ("now - 1h30m", "2022-06-21T14:30:00+08:00"),
        ("+30m", "2022-06-21T16:30:00+08:00"), ("2022-06-21 16:00", "2022-06-21T16:00:00+08:00"),
        ("2022-06-21", "2022-06-21T00:00:00+08:00"), ("2022-06-21T16:00:00Z", "2022-06-22T00:00:00+08:00"),
        ("1655798400", "2022-06-21T16:00:00+08:00"), ("1655798400.5", "2022-06-21T16:00:00.500+08:00"),
        (" 2022-06-21 16:00:30 ", "2022-06-21T16:00:30+08:00"), ("-3600", "1970-01-01T07:00:00+08:00"),
    ])
    func timesAreTakenAsPeopleWriteThem(text: String, time: String) {
        #expect(MomentArgument(text, now: Self.now)?.time.rfc3339() == time)
    }

    @Test(arguments: ["", "yesterday", "-6x", "now-", "now6h", "2022-13-01", "16:00", "1e30", "nan", "- "])
    func otherTimesAreRefused(text: String) {
        #expect(MomentArgument(text, now: Self.now) == nil)
    }

    @Test func aTimeThatIsRefusedIsAnsweredWithOneThatIsRight() {
        #expect {
            _ = try RulesBacktest.parse(["--from", "2018-13-01", "--to", "now"])
        } throws: { error in
            let message = RulesBacktest.message(for: error)
            return message.contains("'2018-13-01' is invalid for '--from <time>': write a time like 2022-06-21T16:00")
        }
    }

    @Test(arguments: [
        "readings add pond ph 7.6 --by 王工 --at -10m", "export --match ph --format csv --from -1m --to -30s",
        "remove --match ph --from -1m --to -30s", "qc run --site pond --from -1d --to -1h",
        "devices survey a --zero 1 --by 李工 --from -1d",
        "devices calibration a --metric ph --before 7 --after 7 --at -1d", "query ph --from -1h --to -1m",
    ])
    func momentsBeforeNowAreTaken(command: String) throws {
        _ = try Poyang.parseAsRoot(command.split(separator: " ").map(String.init))
    }

    @Test(arguments: ["nan", "inf"]) func aReadingIsANumber(value: String) throws {
        let error = #expect(throws: (any Error).self) {
            try Poyang.parseAsRoot(["readings", "add", "pond", "ph", value, "--at", "now", "--by", "王工"])
        }
        let message = Poyang.message(for: try #require(error))
        #expect(message.contains("the value '\(value)' is no number that can be stored"), "\(message)")
    }

    private static let steps: [(days: Double, step: String)] = [
        (1, "6m"), (1.0 / 24, "15s"), (7, "40m"), (365, "2d"), (0.0001, "1s"), (0, "1s"), (30, "3h"), (36500, "24w"),
    ]

    @Test(arguments: steps)
    func aRangeHasAbout250Moments(days: Double, step: String) {
        let span = Milliseconds(days * Double(Milliseconds.day))
        let fitting = QueryStep.fitting(from: Self.now, to: Self.now + span)
        #expect(PrometheusDuration.text(fitting) == step)
        #expect(days < 0.01 || (160...400).contains(span / fitting), "\(span / fitting) moments")
    }

    @Test func aFaultIsShownInItsLine() throws {
        let text = "invalid parameter \"query\": 1:1: unknown function with name \"raet\" (did you mean rate?)"
        let fault = try #require(QueryFault(text))
        #expect(fault.hint == "did you mean rate?")
        #expect(
            fault.text(in: "raet(up[5m])", width: 80)
                == "1:1: unknown function with name \"raet\"\n  raet(up[5m])\n  ^ did you mean rate?"
        )
    }

    @Test func aFaultInTheSecondLineIsShownThere() throws {
        let fault = try #require(QueryFault("2:8: binary (wrap it in a function such as rate())"))
        #expect(fault.message == "binary")
        #expect(fault.hint == "wrap it in a function such as rate()")
        let text = fault.text(in: "up +\r\n 水位 - 1", width: 80)
        #expect(text == "2:8: binary\n  2 |  水位 - 1\n               ^ wrap it in a function such as rate()")
    }

    @Test(arguments: [1, 500, 1000]) func aLongLineIsCut(column: Int) throws {
        let query = String((0..<1000).map { Character(Unicode.Scalar(UInt8(97 + $0 % 26))) })
        let fault = try #require(QueryFault("1:\(column): unexpected character"))
        let lines = fault.text(in: query, width: 80).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 80 })
        let place = lines[2].distance(from: lines[2].startIndex, to: try #require(lines[2].firstIndex(of: "^")))
        #expect(Array(lines[1])[place] == Array(query)[column - 1])
    }

    @Test(arguments: ["no place", "at 10:20:30: something", "found duplicate series (1:5)", "0:0: x"])
    func otherErrorsHaveNoPlace(text: String) {
        #expect(QueryFault(text) == nil)
    }

    @Test func theTerminalIsWhatTheEnvironmentSays() {
        let utf8 = ["LANG": "zh_CN.UTF-8", "COLUMNS": "132"]
        #expect(Terminal(utf8, isTerminal: false) == Terminal(width: 132, isUnicode: true, hasColors: false))
        #expect(Terminal(utf8, isTerminal: true).hasColors)
        #expect(!Terminal(utf8.merging(["NO_COLOR": "1"]) { $1 }, isTerminal: true).hasColors)
        #expect(!Terminal(utf8.merging(["TERM": "dumb"]) { $1 }, isTerminal: true).hasColors)
        #expect(!Terminal(utf8.merging(["LC_ALL": "C"]) { $1 }, isTerminal: true).isUnicode)
        #expect(Terminal(["LC_CTYPE": "C.utf8"], isTerminal: false).isUnicode)
        #expect(Terminal([:], isTerminal: false) == Terminal(width: 80, isUnicode: false, hasColors: false))
    }
}
