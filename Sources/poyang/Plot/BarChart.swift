// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The values of one moment as bars from zero, the greatest first as the answer has them.
///
/// ```
/// water_level_meters (m)
/// xingzi  ████████████████████▌ 18.86
/// hukou   █████████████████████ 19.04
/// ```
struct BarChart {
    /// How many bars are drawn; the others are counted.
    static let most = 40

    let series: [PlotSeries]
    let unit: PlotUnit
    let terminal: Terminal

    var text: String {
        let names = PlotNames(self.series)
        let shown = zip(names.names, self.series).prefix(Self.most).map { ($0, $1.points.last?.value ?? .nan) }
        let texts = shown.map { Self.text($0.1) }
        let nameWidth = min(self.terminal.width / 2, shown.map { Table.width($0.0) }.max() ?? 0)
        let valueWidth = texts.map(\.count).max() ?? 0
        let room = max(5, self.terminal.width - nameWidth - valueWidth - 3)
        let finite = shown.map(\.1).filter(\.isFinite)
        let least = min(0, finite.min() ?? 0)
        let greatest = max(0, finite.max() ?? 0)
        // Halves, so that the distance of numbers near the greatest is finite.
        let half = greatest / 2 - least / 2
        let zero = half > 0 ? Int((-least / 2 / half * Double(room)).rounded()) : 0
        let unit = self.terminal.isUnicode ? self.unit.symbol : self.unit.ascii
        var lines = [names.title(unit: unit, width: self.terminal.width)]
        for (index, (name, value)) in shown.enumerated() {
            let share = half > 0 && value.isFinite ? value / 2 / half * Double(room) : 0
            let bar =
                share >= 0
                ? String(repeating: " ", count: zero) + self.bar(share, room: room - zero)
                : self.negativeBar(-share, zero: zero)
            let label = Self.left(name, nameWidth)
            lines.append((label.isEmpty ? "" : label + "  ") + bar + " " + texts[index])
        }
        if self.series.count > shown.count { lines.append("and \(self.series.count - shown.count) more") }
        return lines.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// In eighths of a character.
    private func bar(_ length: Double, room: Int) -> String {
        guard self.terminal.isUnicode else { return String(repeating: "#", count: Int(length.rounded())) }
        let eighths = min(room * 8, Int((length * 8).rounded()))
        let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
        return String(repeating: "█", count: eighths / 8) + part
    }

    /// Ends at zero; whole characters only.
    private func negativeBar(_ length: Double, zero: Int) -> String {
        let count = min(zero, Int(length.rounded()))
        let bar = String(repeating: self.terminal.isUnicode ? "█" : "#", count: count)
        return String(repeating: " ", count: zero - count) + bar
    }

    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return String(format: "%.6g", value)
    }

    /// Cut, or filled with blanks, to a width.
    private static func left(_ text: String, _ width: Int) -> String {
        var text = text
        while Table.width(text) > width { text = String(text.dropLast()) }
        return text + String(repeating: " ", count: width - Table.width(text))
    }
}
