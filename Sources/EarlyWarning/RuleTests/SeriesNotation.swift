// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// Series and values as promtool's rule tests write them: `up{job="x"}` and `0+1x5 _ stale 3`.
enum SeriesNotation {
    /// Why a text is no series or no values.
    struct Failure: Error {
        let message: String
    }

    enum Value: Equatable {
        case missing
        case stale
        case number(Double)
    }

    static let staleMarker = Double(bitPattern: 0x7FF0_0000_0000_0002)

    /// A metric name and labels in braces, either of which may be missing.
    static func labels(_ text: String) throws -> Labels {
        let trimmed = text.trimmingPrefix { $0.isWhitespace }
        if trimmed.isEmpty || trimmed.filter({ !$0.isWhitespace }) == "{}" { return .empty }
        let query: Query
        do {
            query = try Query(parsing: text.hasSuffix("{}") ? String(text.dropLast(2)) : text)
        } catch {
            throw Failure(message: "'\(text)' is no series: \(error.message)")
        }
        guard case .selector(let selector) = query.expression, selector.window == nil,
            selector.offset == 0, selector.at == nil, selector.matchers.allSatisfy({ $0.operation == .equal })
        else { throw Failure(message: "'\(text)' is no series; write it like up{job=\"x\"}") }
        for (place, matcher) in selector.matchers.enumerated()
        where selector.matchers[..<place].contains(where: { $0.name == matcher.name }) {
            throw Failure(message: "'\(text)' has label '\(matcher.name)' twice; keep one")
        }
        return Labels(selector.matchers.map { Label(name: $0.name, value: $0.value) })
    }

    /// Values at consecutive steps.
    ///
    /// `a+bxn` is a and n further values, each b more; `a-bxn` each b less; `axn` a and n more of it; `_` a missing
    /// one, `_xn` n missing ones; `stale` ends the series.
    static func values(_ text: String) throws -> [Value] {
        var result: [Value] = []
        for item in text.split(whereSeparator: \.isWhitespace) { result += try self.item(item) }
        return result
    }

    private static func item(_ item: Substring) throws -> [Value] {
        if item == "stale" { return [.stale] }
        var body = item
        var repetitions: Int?
        if let mark = item.lastIndex(of: "x"), let count = Int(item[item.index(after: mark)...]), count >= 0 {
            guard count <= 10_000_000 else { throw Failure(message: "'\(item)' is more than ten million values") }
            body = item[..<mark]
            repetitions = count
        }
        if body == "_" { return Array(repeating: .missing, count: repetitions ?? 1) }
        if body == "stale" { return Array(repeating: .stale, count: (repetitions ?? 0) + 1) }
        if let number = self.number(body) { return Array(repeating: .number(number), count: (repetitions ?? 0) + 1) }
        if let repetitions, let (start, step) = self.progression(body) {
            return (0...repetitions).map { .number(start + Double($0) * step) }
        }
        throw Failure(message: "'\(item)' is no value; write it like 1, 1+2x5, 3x4, _, _x5, stale, NaN, -Inf")
    }

    /// `a+b` or `a-b`, where b has no sign of its own.
    private static func progression(_ text: Substring) -> (start: Double, step: Double)? {
        for index in text.indices.dropFirst() where text[index] == "+" || text[index] == "-" {
            let rest = text[text.index(after: index)...]
            guard let start = self.number(text[..<index]), let step = self.number(rest), rest.first != "+",
                rest.first != "-"
            else { continue }
            return (start, text[index] == "-" ? -step : step)
        }
        return nil
    }

    private static func number(_ text: Substring) -> Double? {
        switch text.lowercased() {
        case "nan": return .nan
        case "inf", "+inf": return .infinity
        case "-inf": return -.infinity
        // No numbers of base 16: `0x3` is 0 and three more.
        default:
            return text.contains("x")
                ? nil : text.first.map { $0.isNumber || "+-.".contains($0) } ?? false ? Double(text) : nil
        }
    }
}
