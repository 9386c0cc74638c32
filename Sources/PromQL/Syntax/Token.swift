// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// A piece of query text.
struct Token: Sendable {
    enum Kind: Hashable, Sendable {
        case number(Double)
        case duration(Milliseconds)
        /// Letters, digits, `_` and, for metric names, `:`. Keywords are identifiers until the parser asks.
        case identifier(String)
        case string(String)
        /// Operators and brackets, by their text.
        case symbol(String)
        case end
    }

    var kind: Kind
    /// Byte offsets in the text.
    var start: Int
    var end: Int

    /// As an error message names it.
    var name: String {
        switch self.kind {
        case .number(let value): "number \(NumberText.text(value))"
        case .duration(let span): "duration \(PrometheusDuration.text(span))"
        case .identifier(let text): "\"\(text)\""
        case .string(let text): "string \(NumberText.quoted(text))"
        case .symbol(let text): "\"\(text)\""
        case .end: "end of input"
        }
    }
}

/// Numbers and strings as PromQL writes them.
package enum NumberText {
    /// The shortest text that reads back as `value`: `+Inf`, `-Inf`, `NaN`, `19.07`, `1e+30`.
    package static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// In double quotes, with Go's escapes.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case let control where control.value < 0x20 || control.value == 0x7F:
                let hex = String(control.value, radix: 16)
                result += "\\x" + (hex.count < 2 ? "0" : "") + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
