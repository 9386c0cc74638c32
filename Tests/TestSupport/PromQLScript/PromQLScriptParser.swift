// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// Reads test scripts line by line.
struct PromQLScriptParser {
    private let lines: [Substring]
    private var index = 0

    init(_ text: String) {
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    private var number: Int { self.index + 1 }

    private func failure(_ message: String) -> PromQLScript.Failure {
        PromQLScript.Failure(line: self.number, message: message)
    }

    private func line() -> Substring { self.lines[self.index].trimmed }

    mutating func commands() throws(PromQLScript.Failure) -> [PromQLScript.Command] {
        var commands: [PromQLScript.Command] = []
        while self.index < self.lines.count {
            let line = self.line()
            let word = line.prefix { !$0.isWhitespace }
            if line.isEmpty || line.hasPrefix("#") {
                self.index += 1
            } else if word == "clear" {
                commands.append(.clear)
                self.index += 1
            } else if word.hasPrefix("load") {
                commands.append(try self.load(line.dropFirst(word.count), with: word))
            } else if word.hasPrefix("eval") {
                commands.append(.evaluate(try self.evaluation(line, word)))
            } else {
                throw self.failure("unknown command \(word)")
            }
        }
        return commands
    }

    private static func startsCommand(_ line: Substring) -> Bool {
        ["eval ", "eval_", "load ", "load_"].contains { line.hasPrefix($0) } || line == "clear"
    }

    /// The lines of a command: those up to the next empty line or command.
    private mutating func block() -> [(line: Substring, number: Int)] {
        var result: [(line: Substring, number: Int)] = []
        self.index += 1
        while self.index < self.lines.count {
            let line = self.line()
            if line.isEmpty || Self.startsCommand(line) { break }
            if !line.hasPrefix("#") { result.append((line, self.number)) }
            self.index += 1
        }
        return result
    }

    private mutating func load(_ rest: Substring, with word: Substring) throws(PromQLScript.Failure)
        -> PromQLScript.Command
    {
        let step = try self.span(rest.trimmed)
        var series: [PromQLScript.SeriesValues] = []
        for (line, number) in self.block() { series.append(try Self.series(line, number)) }
        return .load(step: step, series: series, addsNativeHistograms: word == "load_with_nhcb")
    }

    private func span(_ text: Substring) throws(PromQLScript.Failure) -> Milliseconds {
        if let span = PrometheusDuration.parse(text) { return span }
        if let seconds = Double(text) { return Milliseconds((seconds * 1000).rounded()) }
        throw self.failure("\(text) is no duration")
    }

    private mutating func evaluation(
        _ line: Substring,
        _ word: Substring
    ) throws(PromQLScript.Failure) -> PromQLScript.Evaluation {
        var words = line.split(maxSplits: 4, whereSeparator: \.isWhitespace)
        guard words.count >= 4 else { throw self.failure("eval needs a time and a query") }
        let times: PromQLScript.Evaluation.Times
        let query: Substring
        if words[1] == "instant" {
            guard words.count == 5, words[2] == "at" else {
                throw self.failure("expected `eval instant at TIME QUERY`")
            }
            times = .instant(Timestamp(milliseconds: try self.span(words[3])))
            query = words[4]
        } else {
            words = line.split(maxSplits: 8, whereSeparator: \.isWhitespace)
            guard words.count == 9, words[2] == "from", words[4] == "to", words[6] == "step" else {
                throw self.failure("expected `eval range from TIME to TIME step DURATION QUERY`")
            }
            times = .range(
                from: Timestamp(milliseconds: try self.span(words[3])),
                through: Timestamp(milliseconds: try self.span(words[5])),
                step: try self.span(words[7])
            )
            query = words[8]
        }
        var evaluation = PromQLScript.Evaluation(line: self.number, query: String(query), times: times)
        evaluation.isOrdered = word == "eval_ordered"
        evaluation.failure = (word == "eval_fail", nil)
        if word == "eval_warn" { evaluation.warning = true }
        if word == "eval_info" { evaluation.info = true }
        for (line, number) in self.block() { try self.expect(line, number, &evaluation) }
        return evaluation
    }

    private func expect(
        _ line: Substring,
        _ number: Int,
        _ evaluation: inout PromQLScript.Evaluation
    ) throws(PromQLScript.Failure) {
        if line.hasPrefix("expected_fail_message ") {
            evaluation.failure.message = String(line.dropFirst("expected_fail_message ".count))
        } else if line.hasPrefix("expect ") {
            try self.directive(line.dropFirst("expect ".count).trimmed, &evaluation)
        } else if let value = PromQLNumber.parse(line) {
            evaluation.scalar = value
        } else {
            evaluation.series.append(try Self.series(line, number))
        }
    }

    private func directive(
        _ rest: Substring,
        _ evaluation: inout PromQLScript.Evaluation
    ) throws(PromQLScript.Failure) {
        let word = rest.prefix { !$0.isWhitespace }
        let more = rest.dropFirst(word.count).trimmed
        switch word {
        case "ordered": evaluation.isOrdered = true
        case "fail":
            evaluation.failure = (true, more.hasPrefix("msg:") ? String(more.dropFirst(4).trimmed) : nil)
        case "warn": evaluation.warning = true
        case "no_warn": evaluation.warning = false
        case "info": evaluation.info = true
        case "no_info": evaluation.info = false
        case "string": evaluation.string = String(more.dropFirst().dropLast())
        case "range":
            let words = more.split(whereSeparator: \.isWhitespace)
            guard words.count == 7 else {
                throw self.failure("expected `range vector from TIME to TIME step DURATION`")
            }
            evaluation.matrix = (Timestamp(milliseconds: try self.span(words[2])), try self.span(words[6]))
        default: throw self.failure("unknown expectation \(word)")
        }
    }

    // MARK: Series

    /// Reads `metric{a="b"} 1 _ 2+3x4`.
    static func series(_ line: Substring, _ number: Int) throws(PromQLScript.Failure) -> PromQLScript.SeriesValues {
        var isQuoted = false
        var depth = 0
        var end = line.startIndex
        while end < line.endIndex {
            let character = line[end]
            if character == "\"" { isQuoted.toggle() }
            if !isQuoted {
                if character == "{" { depth += 1 }
                if character == "}" { depth -= 1 }
                if depth == 0, character.isWhitespace { break }
            }
            end = line.index(after: end)
        }
        if line[..<end].hasSuffix("@st") {
            let labels = try self.labels(line[..<end].dropLast(3), number)
            return PromQLScript.SeriesValues(labels: labels, values: [], hasStartTimestamps: true)
        }
        let labels = try self.labels(line[..<end], number)
        return PromQLScript.SeriesValues(labels: labels, values: try self.values(line[end...].trimmed, number))
    }

    private static func labels(_ text: Substring, _ number: Int) throws(PromQLScript.Failure) -> Labels {
        let name = text.prefix { $0 != "{" }
        var labels = Labels.empty
        if !name.isEmpty { labels[Labels.metricName] = String(name.trimmed) }
        var rest = text.dropFirst(name.count + 1)
        if rest.hasSuffix("}") { rest = rest.dropLast() }
        rest = rest.trimmed
        while !rest.isEmpty {
            guard let equals = rest.firstIndex(of: "=") else {
                labels[Labels.metricName] = rest.filter { $0 != "\"" }
                break
            }
            let key = rest[..<equals].trimmed.filter { $0 != "\"" }
            rest = rest[equals...].dropFirst().trimmed.dropFirst()
            var value = ""
            var isEscaped = false
            while let character = rest.first {
                rest = rest.dropFirst()
                if isEscaped {
                    value.append(character == "n" ? "\n" : character)
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    break
                } else {
                    value.append(character)
                }
            }
            labels[key] = value
            rest = rest.trimmed
            if rest.hasPrefix(",") { rest = rest.dropFirst().trimmed }
        }
        return labels
    }

    private static func values(
        _ text: Substring,
        _ number: Int
    ) throws(PromQLScript.Failure) -> [PromQLScript.SeriesValues.Value] {
        var values: [PromQLScript.SeriesValues.Value] = []
        for word in self.words(text) {
            if word.contains("{{") {
                let count = word.split(separator: "x").last.flatMap { word.hasSuffix("}}") ? nil : Int($0) } ?? 0
                values += repeatElement(.histogram, count: count + 1)
                continue
            }
            let parts = word.split(separator: "x", maxSplits: 1)
            let times = parts.count == 2 ? Int(parts[1]) : 0
            guard let times, let head = parts.first else {
                throw PromQLScript.Failure(line: number, message: "\(word) is no value")
            }
            if head == "_" {
                values += repeatElement(.none, count: max(1, times))
            } else if head == "stale" {
                values.append(.float(Double(bitPattern: 0x7FF0_0000_0000_0002)))
            } else if let value = PromQLNumber.parse(head) {
                values += repeatElement(.float(value), count: times + 1)
            } else if let (start, step) = self.progression(head) {
                for count in 0...times { values.append(.float(start + Double(count) * step)) }
            } else {
                throw PromQLScript.Failure(line: number, message: "\(word) is no value")
            }
        }
        return values
    }

    /// `2+3` and `2-3`, where the first sign is not that of an exponent.
    private static func progression(_ text: Substring) -> (start: Double, step: Double)? {
        for index in text.indices.dropFirst() where text[index] == "+" || text[index] == "-" {
            let before = text[text.index(before: index)]
            guard before != "e", before != "E" else { continue }
            if let start = PromQLNumber.parse(text[..<index]), let step = PromQLNumber.parse(text[index...]) {
                return (start, step)
            }
        }
        return nil
    }

    /// Splits at blanks outside `{{…}}`.
    private static func words(_ text: Substring) -> [Substring] {
        var words: [Substring] = []
        var start = text.startIndex
        var depth = 0
        for index in text.indices {
            if text[index] == "{" { depth += 1 }
            if text[index] == "}" { depth -= 1 }
            if depth == 0, text[index].isWhitespace {
                if start < index { words.append(text[start..<index]) }
                start = text.index(after: index)
            }
        }
        if start < text.endIndex { words.append(text[start...]) }
        return words.prefix { !$0.hasPrefix("#") }
    }
}

/// Numbers as test scripts write them.
enum PromQLNumber {
    static func parse(_ text: Substring) -> Double? {
        let bare = text.hasPrefix("+") ? text.dropFirst() : text
        switch bare.lowercased() {
        case "inf": return .infinity
        case "-inf": return -.infinity
        case "nan": return .nan
        default: break
        }
        guard let first = bare.first(where: { $0 != "-" }), first.isNumber || first == "." else { return nil }
        return Double(bare.hasSuffix(".") ? bare + "0" : bare)
    }
}

extension Substring {
    var trimmed: Substring {
        let start = self.drop { $0.isWhitespace }
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return start[...end]
    }
}
