// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
package import PromQL
package import Telemetry

/// What a template may name.
package struct TemplateContext {
    /// Those that `$labels` shows.
    package var labels: Labels
    /// Others that it finds by their names.
    package var ownLabels = Labels.empty
    package var value: Double?
    package var threshold: Double?
    package var level: String
    package var externalLabels: Labels
    package var externalURL: String
    /// What `query` asks; it answers with nil where it cannot.
    package var ask: (String) -> [VectorSample]? = { _ in nil }

    package init(
        labels: Labels,
        value: Double?,
        threshold: Double? = nil,
        level: String = "",
        externalLabels: Labels = .empty,
        externalURL: String = ""
    ) {
        self.labels = labels
        self.value = value
        self.threshold = threshold
        self.level = level
        self.externalLabels = externalLabels
        self.externalURL = externalURL
    }
}

enum TemplateValue {
    case nothing
    /// All that a template may name.
    case data
    case number(Double)
    case text(String)
    case truth(Bool)
    /// Of those that are not shown, too, one may be asked for by its name.
    case labels(Labels, hidden: Labels)
    /// What a query gave.
    case samples([VectorSample])
    case sample(VectorSample)

    init(_ number: Double?) { self = number.map { .number($0) } ?? .nothing }

    /// As Go prints it with `%v`.
    var text: String {
        switch self {
        case .nothing, .data, .samples, .sample: ""
        case .number(let number): GoFormat.general(number)
        case .text(let text): text
        case .truth(let isTrue): "\(isTrue)"
        case .labels(let labels, _): "map[\(labels.map { "\($0.name):\($0.value)" }.joined(separator: " "))]"
        }
    }

    var number: Double? {
        switch self {
        case .number(let number): number
        case .text(let text): Double(text)
        case .nothing, .data, .truth, .labels, .samples, .sample: nil
        }
    }

    var isNothing: Bool { if case .nothing = self { true } else { false } }

    /// What `if` and `with` ask for.
    var isTrue: Bool {
        switch self {
        case .nothing: false
        case .data, .sample: true
        case .samples(let samples): !samples.isEmpty
        case .number(let number): number != 0
        case .text(let text): !text.isEmpty
        case .truth(let isTrue): isTrue
        case .labels(let labels, _): !labels.isEmpty
        }
    }

    /// How many bytes a text, or members a set of labels or samples has.
    var count: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .labels(let labels, _): labels.count
        case .samples(let samples): samples.count
        case .nothing, .data, .number, .truth, .sample: 0
        }
    }

    /// Nil where two values cannot be compared.
    func order(to other: TemplateValue) -> ComparisonResult? {
        switch (self, other) {
        case (.number(let left), .number(let right)):
            left < right ? .orderedAscending : left > right ? .orderedDescending : left == right ? .orderedSame : nil
        case (.text(let left), .text(let right)):
            left < right ? .orderedAscending : left > right ? .orderedDescending : .orderedSame
        case (.truth(let left), .truth(let right)): left == right ? .orderedSame : nil
        default: nil
        }
    }
}

/// Numbers as Go's `fmt` and Prometheus's template functions print them.
enum GoFormat {
    /// `%v` of a float64: the shortest decimal that reads back, with an exponent below 1e-4 and from 1e6 on.
    static func general(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        if number == 0 { return number.sign == .minus ? "-0" : "0" }
        let magnitude = abs(number)
        let text = "\(number)"
        guard let (digits, exponent) = self.decompose(text) else { return text }
        let sign = number < 0 ? "-" : ""
        if magnitude < 1e-4 || magnitude >= 1e6 {
            let mantissa = digits.count == 1 ? digits : "\(digits.prefix(1)).\(digits.dropFirst())"
            let distance = abs(exponent)
            return "\(sign)\(mantissa)e\(exponent < 0 ? "-" : "+")\(distance < 10 ? "0" : "")\(distance)"
        }
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        if digits.count <= exponent + 1 {
            return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count)
        }
        return "\(sign)\(digits.prefix(exponent + 1)).\(digits.dropFirst(exponent + 1))"
    }

    /// Significant digits without leading or trailing zeros, and the decimal exponent of the first of them.
    private static func decompose(_ text: String) -> (digits: String, exponent: Int)? {
        var mantissa = text.hasPrefix("-") ? String(text.dropFirst()) : text
        var exponent = 0
        if let mark = mantissa.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            exponent = Int(mantissa[mantissa.index(after: mark)...]) ?? 0
            mantissa = String(mantissa[..<mark])
        }
        let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first else { return nil }
        let fraction = parts.count > 1 ? parts[1] : ""
        let all = String(whole) + String(fraction)
        guard let first = all.firstIndex(where: { $0 != "0" }) else { return nil }
        let leadingZeros = all.distance(from: all.startIndex, to: first)
        var digits = String(all[first...])
        while digits.hasSuffix("0") { digits.removeLast() }
        return (digits, exponent + whole.count - 1 - leadingZeros)
    }

    /// `humanize`: four significant digits and a metric prefix.
    static func humanize(_ number: Double) -> String {
        guard number != 0, number.isFinite else { return self.fourDigits(number) }
        var value = number
        var prefix = ""
        if abs(value) >= 1 {
            for next in ["k", "M", "G", "T", "P", "E", "Z", "Y"] where abs(value) >= 1000 {
                prefix = next
                value /= 1000
            }
        } else {
            for next in ["m", "u", "n", "p", "f", "a", "z", "y"] where abs(value) < 1 {
                prefix = next
                value *= 1000
            }
        }
        return self.fourDigits(value) + prefix
    }

    /// `humanize1024`: four significant digits and a binary prefix.
    static func humanize1024(_ number: Double) -> String {
        var value = number
        var prefix = ""
        for next in ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"] where value.isFinite && abs(value) >= 1024 {
            prefix = next
            value /= 1024
        }
        return self.fourDigits(value) + prefix
    }

    /// `humanizeDuration`: seconds as `1d 2h 3m 4s`.
    static func humanizeDuration(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e15 else { return self.fourDigits(seconds) }
        if seconds == 0 { return "0s" }
        guard abs(seconds) >= 1 else { return self.humanize(seconds) + "s" }
        let sign = seconds < 0 ? "-" : ""
        let whole = Int64(abs(seconds))
        let (days, hours, minutes) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60)
        if days > 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(whole % 60)s" }
        if hours > 0 { return "\(sign)\(hours)h \(minutes)m \(whole % 60)s" }
        if minutes > 0 { return "\(sign)\(minutes)m \(whole % 60)s" }
        return self.fourDigits(seconds) + "s"
    }

    /// `humanizeTimestamp`: seconds since 1970 as Go writes a time in UTC.
    static func humanizeTimestamp(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 9e9 else { return self.fourDigits(seconds) }
        let moment = Timestamp(milliseconds: Int64((seconds * 1000).rounded(.down)))
        var text = String(moment.rfc3339(offsetMinutes: 0).dropLast("+00:00".count)).replacing("T", with: " ")
        if text.contains(".") { while text.hasSuffix("0") { text.removeLast() } }
        return text + " +0000 UTC"
    }

    /// A number in one of the verbs `%f %e %g`, of which the last, without a precision, gives the shortest decimal.
    private static func number(_ number: Double, _ modifiers: Substring, _ verb: Character) -> String {
        guard !number.isFinite || verb == "g" && !modifiers.contains(".") else {
            return String(format: "%\(modifiers)\(verb)", number)
        }
        let text = self.general(number)
        let width = Int(modifiers.drop { !"123456789".contains($0) }.prefix { $0.isNumber }) ?? 0
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        let sign = modifiers.contains("+") && number > 0 && number.isFinite ? "+" : ""
        return modifiers.contains("-") ? sign + text + blanks : blanks.dropLast(sign.count) + sign + text
    }

    static func fourDigits(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        return String(format: "%.4g", number)
    }

    /// Go's `printf` with the verbs `%v %s %q %d %f %e %g %%` and their flags, width and precision.
    static func printf(_ format: String, _ arguments: [TemplateValue]) -> String {
        var result = ""
        var rest = Substring(format)
        var remaining = arguments[...]
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            rest = rest[rest.index(after: percent)...]
            let modifiers = rest.prefix { "0123456789.+- #".contains($0) }
            rest = rest.dropFirst(modifiers.count)
            // Of a width of thousands no message is made.
            guard modifiers.split(whereSeparator: { !$0.isNumber }).allSatisfy({ $0.count <= 3 }) else {
                return result + "%!(BADWIDTH)"
            }
            guard let verb = rest.popFirst() else { return result + "%!(NOVERB)" }
            if verb == "%" {
                result += "%"
                continue
            }
            guard let argument = remaining.popFirst() else {
                result += "%!\(verb)(MISSING)"
                continue
            }
            switch verb {
            case "v", "s": result += argument.text
            case "q": result += CanonicalJSON.text(argument.text)
            case "d":
                result += argument.number.map { String(format: "%\(modifiers).0f", $0.rounded()) } ?? argument.text
            case "f", "F", "e", "g":
                result += argument.number.map { self.number($0, modifiers, verb) } ?? argument.text
            default: result += "%!\(verb)(\(argument.text))"
            }
        }
        return result + rest
    }
}
