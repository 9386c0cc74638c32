// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import Testing

@testable import FieldGateway

struct ObservationLogTests {
    /// Minutes after a full hour.
    private static func at(_ minutes: Int) -> Timestamp {
        Timestamp(milliseconds: 480_000 * .hour + Milliseconds(minutes) * .minute)
    }

    private func log(every interval: Milliseconds? = 5 * .minute, _ minutes: [Int]) -> ObservationLog {
        var log = ObservationLog()
        for minute in minutes { log.note(["Z": [Self.at(minute)]], interval: interval, reach: 7 * .day) }
        return log
    }

    @Test func hoursThatAreOverAreAskedForAtOnceAndTheRestLater() throws {
        var log = self.log([50, 55, 60 + 132])
        let question = try #require(log.question(at: Self.at(60 + 133)))
        #expect(question.hours == Self.at(0)...Self.at(180) && question.step == 5 * .minute)
        log.answered(question)
        #expect(log.question(at: Self.at(60 + 133)) == nil, "the last hour is not over")
        let rest = try #require(log.question(at: Self.at(240)))
        #expect(rest.hours == Self.at(180)...Self.at(240))
        log.answered(rest)
        #expect(log.gaps.isEmpty)
    }

    @Test func whatComesByItselfIsNotAskedFor() {
        var log = self.log([50, 55, 75])
        #expect(log.gaps.count == 1)
        for minute in [60, 65, 70] { log.note(["Z": [Self.at(minute)]], interval: 5 * .minute, reach: 7 * .day) }
        #expect(log.gaps.isEmpty)
        #expect(log.newest["Z"] == Self.at(75))
    }

    /// A station that reports by the hour is not asked every hour, whatever its registration says.
    @Test func anIntervalThatIsSeenAgainAndAgainCounts() {
        var log = ObservationLog()
        var gaps = 0
        for hour in 0..<24 {
            gaps +=
                log.note(["PT": [Self.at(60 * hour)], "P1": [Self.at(60 * hour)]], interval: .hour, reach: .day).count
            gaps += log.note(["DRP": (1...12).map { Self.at(60 * hour + 5 * $0) }], interval: .hour, reach: .day).count
        }
        #expect(gaps == 0)
        #expect(log.note(["PT": [Self.at(60 * 26)]], interval: 5 * .minute, reach: .day).first?.interval == .hour)
    }

    @Test func longGapsAreAskedForInPartsAndNotFartherBackThanAllowed() throws {
        var log = self.log(every: .hour, [0])
        log.note(["Z": [Self.at(60 * 24 * 30)]], interval: .hour, reach: 2 * .day)
        var hours = 0
        while let question = log.question(at: Self.at(60 * 24 * 30 + 1)) {
            let span = question.hours.upperBound - question.hours.lowerBound
            #expect(span <= .day)
            hours += Int(span / .hour)
            log.answered(question)
            try #require(hours < 100)
        }
        #expect(hours == 48)
    }

    @Test func aStationThatDoesNotAnswerIsNotAskedForEver() throws {
        var log = self.log([50, 200])
        for attempt in 1...3 {
            let question = try #require(log.question(at: Self.at(300)))
            #expect(log.failed(question) == (attempt == 3))
        }
        #expect(log.question(at: Self.at(300)) == nil)
    }

    @Test func whatTheServiceHasSeenIsTheBeginningWhereNothingElseIsKnown() {
        var log = ObservationLog()
        log.before = Self.at(0)
        #expect(log.note(["Z": [Self.at(180)]], interval: 5 * .minute, reach: .day).first?.after == Self.at(0))
    }

    @Test(arguments: [(5, "5"), (60, "60"), (90, "30"), (25 * 60, "30"), (1440, "1440")])
    func stepsAreThoseThatFunction38CanSay(interval: Int, step: String) throws {
        var log = self.log(every: Milliseconds(interval) * .minute, [0])
        log.note(["Z": [Self.at(40 * interval)]], interval: Milliseconds(interval) * .minute, reach: 100 * .day)
        let question = try #require(log.question(at: Self.at(41 * interval)))
        #expect(question.step == Milliseconds(Int(step) ?? 0) * .minute)
        let element = try #require(SL651Function.element("Z"))
        let downlink = SL651Downlink(station: 1, centre: 1, password: 0)
        #expect(downlink.askForPeriod(of: element, hours: question.hours, step: question.step, at: Self.at(0)) != nil)
    }
}
