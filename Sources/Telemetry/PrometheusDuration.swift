// poyang
// SPDX-License-Identifier: Apache-2.0

/// Durations as Prometheus writes them: `5m`, `1h30m`, `1d`, `500ms`, `0s`.
///
/// Units in falling order, each at most once: `y` (365 d) `w d h m s ms`. A bare `0` is zero.
/// Source: Prometheus documentation, "Querying basics", float literals and time durations.
package enum PrometheusDuration {
    private static let units: [(suffix: String, span: Milliseconds)] = [
        ("y", 365 * .day), ("w", 7 * .day), ("d", .day), ("h", .hour), ("m", .minute), ("s", .second), ("ms", 1),
    ]

    /// - Returns: `nil` when the text is no duration, or is longer than 292 million years.
    package static func parse(_ text: some StringProtocol) -> Milliseconds? {
        if text == "0" { return 0 }
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        var total: Milliseconds = 0
        var nextUnit = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let number = Milliseconds(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let suffix = rest.prefix { $0.isASCII && $0.isLetter }
            guard let unit = self.units[nextUnit...].firstIndex(where: { $0.suffix == suffix }) else { return nil }
            nextUnit = unit + 1
            rest = rest.dropFirst(suffix.count)
            let (product, productOverflow) = number.multipliedReportingOverflow(by: self.units[unit].span)
            let (sum, sumOverflow) = total.addingReportingOverflow(product)
            guard !productOverflow, !sumOverflow else { return nil }
            total = sum
        }
        return total
    }

    /// The shortest text that reads back as `span`: 5400000 is `1h30m`.
    ///
    /// Years and weeks are used only when exact.
    package static func text(_ span: Milliseconds) -> String {
        guard span > 0 else { return span == 0 ? "0s" : "-" + self.text(-span) }
        for unit in self.units.prefix(2) where span % unit.span == 0 { return "\(span / unit.span)\(unit.suffix)" }
        var rest = span
        var text = ""
        for unit in self.units.dropFirst(2) where rest >= unit.span {
            text += "\(rest / unit.span)\(unit.suffix)"
            rest %= unit.span
        }
        return text
    }
}
