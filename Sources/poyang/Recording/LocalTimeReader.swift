// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// Reads the time stamps of one file, in order, in the zone that its clock kept.
///
/// Where clocks are set back, an hour of local times occurs twice. The file's own order decides: the first of the two
/// moments that is not before the row before it. Where clocks are set forward, an hour does not exist and is refused.
struct LocalTimeReader {
    private let zone: TimeZone
    private let format: TimeFormat
    private var previous = Timestamp.distantPast
    /// Local days, and the one offset that holds on all of the day and the days beside it.
    private var plainDays: [Int64: Milliseconds] = [:]

    init(zone: TimeZone, format: TimeFormat) {
        self.zone = zone
        self.format = format
    }

    /// - Throws: ``TimeProblem`` that says what is wrong with the text.
    mutating func read(_ text: String) throws(TimeProblem) -> Timestamp {
        let time: Timestamp
        switch try self.format.read(text) {
        case .moment(let moment): time = moment
        case .local(let civil): time = try self.resolve(civil, text: text)
        }
        self.previous = time
        return time
    }

    /// The moment of a local time that is given as if it were UTC.
    private mutating func resolve(_ civil: Timestamp, text: String) throws(TimeProblem) -> Timestamp {
        let day = civil.milliseconds / .day
        if let offset = self.plainDays[day] { return civil - offset }
        let before = self.offset(atUTC: civil - 36 * .hour)
        let after = self.offset(atUTC: civil + 36 * .hour)
        if before == after, before == self.offset(atUTC: civil - before) {
            // No change within a day and a half on either side, so none on this day either.
            let isPlain =
                self.offset(atUTC: civil - 60 * .hour) == before && self.offset(atUTC: civil + 60 * .hour) == before
            if isPlain { self.plainDays[day] = before }
            return civil - before
        }
        let candidates = Set([before, after]).map { civil - $0 }
            .filter { moment in
                civil - moment == self.offset(atUTC: moment)
            }
            .sorted()
        if let inOrder = candidates.first(where: { $0 > self.previous }) ?? candidates.first { return inOrder }
        throw TimeProblem("'\(text)' does not exist in \(self.zone.identifier): clocks are set forward over it")
    }

    private func offset(atUTC moment: Timestamp) -> Milliseconds {
        let date = Date(timeIntervalSince1970: Double(moment.milliseconds) / 1000)
        return Milliseconds(self.zone.secondsFromGMT(for: date)) * .second
    }
}

/// What is wrong with a time stamp, and what would be right.
struct TimeProblem: Error, Hashable {
    let message: String
    init(_ message: String) { self.message = message }
}

/// How a time stamp is written.
///
/// `rfc3339` (also a date alone, or without a zone), `unix` (seconds), `unix_ms`, or a pattern of `yyyy MM dd HH mm ss`
/// (two digits each), `M d H` (one or two), `SSS` and other characters that stand for themselves.
struct TimeFormat: Hashable, Sendable {
    enum Reading {
        case moment(Timestamp)
        /// A local time, as if it were UTC.
        case local(Timestamp)
    }

    private enum Style: Hashable {
        case rfc3339
        case unix(perSecond: Double)
        case pattern([Piece])
    }

    private enum Piece: Hashable {
        case field(Character, digits: ClosedRange<Int>)
        case literal(Character)
    }

    static let rfc3339 = TimeFormat(style: .rfc3339)

    private let style: Style

    private init(style: Style) { self.style = style }

    /// - Returns: `nil` when the text is no pattern: year, month and day must be in it.
    init?(_ text: String) {
        switch text {
        case "rfc3339": self.style = .rfc3339
        case "unix": self.style = .unix(perSecond: 1000)
        case "unix_ms": self.style = .unix(perSecond: 1)
        default:
            guard let pieces = TimeFormat.pieces(of: text) else { return nil }
            self.style = .pattern(pieces)
        }
    }

    private static func pieces(of text: String) -> [Piece]? {
        var pieces: [Piece] = []
        var rest = Substring(text)
        while let mark = rest.first {
            let run = rest.prefix { $0 == mark }
            rest = rest.dropFirst(run.count)
            switch (mark, run.count) {
            case ("y", 4): pieces.append(.field("y", digits: 4...4))
            case ("S", 3): pieces.append(.field("S", digits: 3...3))
            case ("M", 2), ("d", 2), ("H", 2), ("m", 2), ("s", 2): pieces.append(.field(mark, digits: 2...2))
            case ("M", 1), ("d", 1), ("H", 1): pieces.append(.field(mark, digits: 1...2))
            default:
                guard !mark.isLetter || mark == "T" || mark == "Z" else { return nil }
                for character in run { pieces.append(.literal(character)) }
            }
        }
        let fields = pieces.compactMap { piece in
            if case .field(let mark, _) = piece { mark } else { nil }
        }
        guard Set("yMd").isSubset(of: fields), Set(fields).count == fields.count else { return nil }
        return pieces
    }

    func read(_ text: String) throws(TimeProblem) -> Reading {
        switch self.style {
        case .rfc3339:
            if let moment = Timestamp(rfc3339: text) { return .moment(moment) }
            if let civil = Timestamp(rfc3339: text, defaultOffsetMinutes: 0) { return .local(civil) }
            throw TimeProblem("'\(text)' is no RFC 3339 time; give the form with 'format:' in the map")
        case .unix(let perSecond):
            guard let number = Double(text), abs(number) * perSecond < 1e15 else {
                throw TimeProblem("'\(text)' is no Unix time")
            }
            return .moment(Timestamp(milliseconds: Int64((number * perSecond).rounded())))
        case .pattern(let pieces):
            guard let civil = TimeFormat.civil(text, pieces) else {
                throw TimeProblem("'\(text)' has not the form that the map gives")
            }
            return .local(civil.timestamp(offsetMinutes: 0))
        }
    }

    private static func civil(_ text: String, _ pieces: [Piece]) -> CivilTime? {
        var civil = CivilTime(year: 1970, month: 1, day: 1)
        var rest = Substring(text)
        for piece in pieces {
            switch piece {
            case .literal(let character):
                guard rest.popFirst() == character else { return nil }
            case .field(let mark, let digits):
                let run = rest.prefix(digits.upperBound).prefix { $0.isASCII && $0.isNumber }
                guard run.count >= digits.lowerBound, let number = Int(run) else { return nil }
                rest = rest.dropFirst(run.count)
                switch mark {
                case "y": civil.year = number
                case "M": civil.month = number
                case "d": civil.day = number
                case "H": civil.hour = number
                case "m": civil.minute = number
                case "s": civil.second = number
                default: civil.millisecond = number
                }
            }
        }
        return rest.isEmpty && civil.isValid ? civil : nil
    }
}
