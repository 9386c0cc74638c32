// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry

/// When the elements of one station were observed last, and the times between that have not come.
///
/// A gap is what lies between two observations of an element that are farther apart than one and a half of its intervals.
/// It is asked for by full hours, as function 38 wants; the hour that is not over yet waits.
struct ObservationLog: Codable, Equatable {
    /// The times of an element that are missing, both ends exclusive.
    struct Gap: Codable, Equatable {
        var symbol: String
        var after: Timestamp
        var before: Timestamp
        var interval: Milliseconds
        /// How often it was asked for without an answer.
        var failures = 0
        /// Times between that came by themselves.
        var seen: Set<Timestamp> = []

        var missing: Int { max(0, Int((self.before - self.after - 1) / self.interval) - self.seen.count) }
    }

    /// What to ask a station for, with function 38.
    struct Question: Equatable {
        var symbol: String
        /// Full hours.
        var hours: ClosedRange<Timestamp>
        var step: Milliseconds
        /// The part of the gap that is filled by the answer.
        var span: Range<Timestamp>
    }

    /// Answers of more hours than this are asked for in parts.
    static let longestQuestion: Milliseconds = 24 * .hour
    /// A gap that so many questions were asked about in vain is given up.
    static let patience = 3
    /// Gaps that are remembered.
    static let limit = 256
    /// Differences between observations from which an interval is learned.
    private static let learned = 8

    private(set) var newest: [String: Timestamp] = [:]
    private(set) var gaps: [Gap] = []
    private var steps: [String: [Milliseconds]] = [:]
    /// The newest observation of the station at all that somebody else knows of; for elements that are new here.
    var before: Timestamp?

    /// Takes the observations of one message; `interval` is the registered one.
    ///
    /// - Returns: The gaps that they show.
    @discardableResult
    mutating func note(
        _ observations: [String: [Timestamp]],
        interval: Milliseconds?,
        reach: Milliseconds,
        isAnswer: Bool = false
    ) -> [Gap] {
        var found: [Gap] = []
        for (symbol, times) in observations {
            guard let first = times.min(), let last = times.max() else { continue }
            for index in self.gaps.indices where self.gaps[index].symbol == symbol {
                let gap = self.gaps[index]
                self.gaps[index].seen.formUnion(times.filter { gap.after < $0 && $0 < gap.before })
            }
            guard !isAnswer else { continue }
            if let known = self.newest[symbol] ?? self.before {
                let usual = self.usualStep(of: symbol, registered: interval)
                if let usual, first - known > usual * 3 / 2 {
                    let gap = Gap(symbol: symbol, after: max(known, first - reach), before: first, interval: usual)
                    found.append(gap)
                    if gap.missing > 0 { self.gaps.append(gap) }
                } else if self.newest[symbol] != nil, first > known {
                    self.learn(symbol, first - known)
                }
            }
            self.newest[symbol] = max(self.newest[symbol] ?? .distantPast, last)
        }
        self.gaps.removeAll { $0.missing == 0 }
        if self.gaps.count > Self.limit { self.gaps.removeFirst(self.gaps.count - Self.limit) }
        return found
    }

    /// What to ask for now; nil while nothing is missing that the station can have.
    func question(at now: Timestamp) -> Question? {
        let thisHour = Self.hour(of: now)
        for gap in self.gaps {
            let start = Self.hour(of: gap.after)
            let last = gap.before - 1
            let end = min(Self.hour(of: last) == last ? last : Self.hour(of: last) + .hour, thisHour)
            guard end > gap.after, end > start else { continue }
            let part = min(end, start + Self.longestQuestion)
            return Question(
                symbol: gap.symbol,
                hours: start...part,
                step: Self.sayable(gap.interval),
                span: gap.after..<min(gap.before, part + 1)
            )
        }
        return nil
    }

    /// The station has answered: what it has not said of these hours it does not have.
    mutating func answered(_ question: Question) {
        guard let index = self.index(of: question) else { return }
        var gap = self.gaps.remove(at: index)
        // Of the rest, the hour that is not over yet is asked for later.
        guard question.span.upperBound < gap.before else { return }
        gap.after = question.span.upperBound - 1
        gap.failures = 0
        gap.seen = gap.seen.filter { $0 > gap.after }
        if gap.missing > 0 { self.gaps.insert(gap, at: index) }
    }

    /// The station did not answer.
    ///
    /// - Returns: Whether the gap is given up.
    mutating func failed(_ question: Question) -> Bool {
        guard let index = self.index(of: question) else { return false }
        self.gaps[index].failures += 1
        // Others come first the next time.
        let gap = self.gaps.remove(at: index)
        guard gap.failures < Self.patience else { return true }
        self.gaps.append(gap)
        return false
    }

    private func index(of question: Question) -> Int? {
        self.gaps.firstIndex { $0.symbol == question.symbol && $0.after == question.span.lowerBound }
    }

    private mutating func learn(_ symbol: String, _ step: Milliseconds) {
        guard step >= .minute else { return }
        var steps = self.steps[symbol] ?? []
        steps.append(step)
        self.steps[symbol] = Array(steps.suffix(Self.learned))
    }

    /// The element's own step, else the one that was seen again and again, else the registered one, else one seen at all.
    private func usualStep(of symbol: String, registered: Milliseconds?) -> Milliseconds? {
        if let own = Self.ownSteps[symbol] { return own }
        if symbol.hasPrefix("DRZ") { return 5 * .minute }
        let counts = Dictionary(grouping: self.steps[symbol] ?? []) { $0 }.mapValues(\.count)
        let best = counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }
        if let best, best.value >= 3 { return best.key }
        return registered ?? best?.key
    }

    private static func hour(of time: Timestamp) -> Timestamp {
        let (hours, _) = time.milliseconds.flooredQuotientAndRemainder(dividingBy: .hour)
        return Timestamp(milliseconds: hours * .hour)
    }

    /// A step that function 38 can say, of which the interval is a multiple.
    private static func sayable(_ interval: Milliseconds) -> Milliseconds {
        switch interval {
        case .minute ..< .hour where interval % .minute == 0: interval
        case .hour ..< .day where interval % .hour == 0: interval
        case .day... where interval % .day == 0 && interval <= 31 * .day: interval
        default: Self.divisor(max(interval, .minute) / .minute, 60) * .minute
        }
    }

    private static func divisor(_ first: Int64, _ second: Int64) -> Int64 {
        second == 0 ? min(first, 30) : self.divisor(second, first % second)
    }

    /// Of figures that stand for a time, that time (table C.1).
    private static let ownSteps: [String: Milliseconds] = [
        "DRP": 5 * .minute, "PN01": .minute, "PN05": 5 * .minute, "PN10": 10 * .minute, "PN30": 30 * .minute,
        "P1": .hour, "P2": 2 * .hour, "P3": 3 * .hour, "P6": 6 * .hour, "P12": 12 * .hour, "PD": .day, "ED": .day,
    ]
}

extension Int64 {
    fileprivate func flooredQuotientAndRemainder(dividingBy divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
