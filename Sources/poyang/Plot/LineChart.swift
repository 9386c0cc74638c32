// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Series over time as lines of text.
///
/// ```
/// water_level_meters (m)
///    19 ┤                    ⢀⡠⠤⠒⠉A
///  18.5 ┤⣀⣀⡠⠤⠔⠒⠒⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠁
///       └┬──────────────────┬──────
///        06-21 08:00        16:00
/// A xingzi  B hukou
/// ```
/// A letter at the end of each named line leads to the legend. Where samples are missing, so is the line.
struct LineChart {
    /// How many series have a name and a colour; the others are drawn and counted.
    static let named = 8

    let series: [PlotSeries]
    let from: Timestamp
    let through: Timestamp
    /// Points further apart than one and a half of it are not joined.
    let step: Milliseconds
    let unit: PlotUnit
    let terminal: Terminal
    /// Letters below the field where something happened; of those that meet the last is seen.
    var marks: [Mark] = []

    struct Mark: Equatable {
        let time: Timestamp
        let letter: Character
        let color: Int?
    }

    /// Lines of characters that the field of dots has.
    private var rows: Int { min(16, max(6, (self.terminal.height ?? 24) - 8)) }

    var text: String {
        let names = PlotNames(self.series)
        let values = self.series.lazy.flatMap(\.points).map(\.value)
        let axis = ValueAxis(of: values, most: max(3, self.rows / 3))
        let labels = axis.ticks.map { axis.text($0) }
        let margin = (labels.map(\.count).max() ?? 0) + 2
        let tags = self.series.count > 1 ? self.tagWidth : 0
        let columns = max(10, self.terminal.width - margin - tags - 1)
        var canvas = PlotCanvas(columns: columns, rows: self.rows, isUnicode: self.terminal.isUnicode)
        // Named lines are drawn last, above the others.
        for index in self.series.indices.reversed() { self.draw(index, on: &canvas, axis) }
        var lines = [self.title(names)].filter { !$0.isEmpty }
        for row in 0..<canvas.rows {
            let label = axis.ticks.lastIndex { self.row(of: $0, axis) == row }.map { labels[$0] } ?? ""
            let edge = self.terminal.isUnicode ? (label.isEmpty ? "│" : "┤") : "|"
            var line = Self.right(label, margin - 2) + " " + edge
            let field = canvas.row(row, self.terminal) { self.color(of: $0) }
            let tag = self.tag(row, axis)
            line += field
            if !tag.isEmpty {
                let blanks = columns - canvas.row(row, Terminal(), color: { _ in nil }).count
                line += String(repeating: " ", count: max(0, blanks)) + tag
            }
            lines.append(line)
        }
        if !self.marks.isEmpty { lines.append(self.markLine(margin: margin, columns: columns)) }
        lines += self.timeLines(margin: margin, columns: columns)
        return (lines + self.legend(names)).joined(separator: "\n")
    }

    private func color(of index: Int) -> Int? { index < Self.named ? index : nil }

    private func title(_ names: PlotNames) -> String {
        let unit = self.terminal.isUnicode ? self.unit.symbol : self.unit.ascii
        return names.title(unit: unit, width: self.terminal.width)
    }

    // MARK: The field

    private func draw(_ index: Int, on canvas: inout PlotCanvas, _ axis: ValueAxis) {
        var before: (time: Timestamp, x: Int, y: Int)?
        for point in self.series[index].points {
            guard point.value.isFinite else {
                before = nil
                continue
            }
            let span = Double(max(1, self.through - self.from))
            let x = Int((Double(point.time - self.from) / span * Double(canvas.width - 1)).rounded())
            let share = Self.share(of: point.value, axis)
            let y = Int(((1 - share) * Double(canvas.height - 1)).rounded())
            if let before, 2 * (point.time - before.time) <= 3 * self.step {
                canvas.draw(from: (before.x, before.y), to: (x, y), line: index)
            } else {
                canvas.set(x: x, y: y, line: index)
            }
            before = (point.time, x, y)
        }
    }

    /// 0 at the lower bound, 1 at the upper one.
    private static func share(of value: Double, _ axis: ValueAxis) -> Double {
        let half = axis.high / 2 - axis.low / 2
        guard half > 0 else { return 0.5 }
        return min(1, max(0, (value / 2 - axis.low / 2) / half))
    }

    /// The row of characters in which a value lies.
    private func row(of value: Double, _ axis: ValueAxis) -> Int {
        let dots = self.rows * (self.terminal.isUnicode ? 4 : 1)
        let dot = Int(((1 - Self.share(of: value, axis)) * Double(dots - 1)).rounded())
        return dot * self.rows / dots
    }

    // MARK: Letters and legend

    private static func letter(_ index: Int) -> Character {
        Character(Unicode.Scalar(UInt8(ascii: "A") + UInt8(clamping: index)))
    }

    /// Letters that share a row stand beside each other.
    private var tagWidth: Int { min(Self.named, self.series.count, 3) }

    private func tag(_ row: Int, _ axis: ValueAxis) -> String {
        guard self.series.count > 1 else { return "" }
        let letters = self.series.prefix(Self.named).enumerated()
            .filter { index, line in
                line.lastValue.map { self.row(of: $0, axis) == row } ?? false
            }
        let shown = letters.prefix(self.tagWidth)
            .map { index, _ in
                self.terminal.colored(self.mark(index), self.color(of: index))
            }
        return shown.joined()
    }

    /// The letter at the end of a line; in ASCII, where lines have marks, the mark.
    private func mark(_ index: Int) -> String {
        String(self.terminal.isUnicode ? Self.letter(index) : PlotCanvas.mark(of: index))
    }

    private func legend(_ names: PlotNames) -> [String] {
        guard self.series.count > 1 else { return [] }
        var entries = names.names.prefix(Self.named).enumerated()
            .map { index, name in
                (text: "\(self.mark(index)) \(name)", color: self.color(of: index))
            }
        let rest = self.series.count - entries.count
        if rest > 0 { entries.append((text: "and \(rest) more", color: nil)) }
        var lines: [String] = []
        var line = ""
        var width = 0
        for entry in entries {
            let length = Table.width(entry.text)
            if width > 0, width + 2 + length > self.terminal.width {
                lines.append(line)
                (line, width) = ("", 0)
            }
            if width > 0 {
                line += "  "
                width += 2
            }
            line += self.terminal.colored(entry.text, entry.color)
            width += length
        }
        return lines + [line]
    }

    // MARK: Time

    private func column(of time: Timestamp, _ columns: Int) -> Int {
        let share = Double(time - self.from) / Double(max(1, self.through - self.from))
        return min(columns - 1, max(0, Int((share * Double(columns - 1)).rounded())))
    }

    private func markLine(margin: Int, columns: Int) -> String {
        var letters = Array(repeating: " ", count: columns)
        for mark in self.marks {
            letters[self.column(of: mark.time, columns)] = self.terminal.colored("\(mark.letter)", mark.color)
        }
        let end = (letters.lastIndex { $0 != " " } ?? -1) + 1
        let edge = self.terminal.isUnicode ? "│" : "|"
        return String(repeating: " ", count: margin - 1) + edge + letters[..<end].joined()
    }

    private func timeLines(margin: Int, columns: Int) -> [String] {
        let axis = TimeAxis(from: self.from, through: self.through, most: max(1, columns / 16))
        var edge = Array(repeating: Character(self.terminal.isUnicode ? "─" : "-"), count: columns)
        var labels = ""
        for tick in axis.ticks {
            let x = self.column(of: tick.time, columns)
            edge[x] = self.terminal.isUnicode ? "┬" : "+"
            let start = min(x, max(0, columns + 1 - tick.text.count))
            guard labels.isEmpty || start > labels.count + 1 else { continue }
            labels += String(repeating: " ", count: start - labels.count) + tick.text
        }
        let corner = self.terminal.isUnicode ? "└" : "+"
        let blanks = String(repeating: " ", count: margin - 1)
        let dash = self.terminal.isUnicode ? "–" : "-"
        let range = "\(TimeAxis.moment(self.from)) \(dash) \(TimeAxis.moment(self.through)) +08:00"
        let step = self.step > 0 ? ", every \(PrometheusDuration.text(self.step))" : ""
        let isWide = margin + range.count + step.count <= self.terminal.width
        return [
            blanks + corner + String(edge), blanks + " " + labels,
            isWide ? blanks + " " + range + step : String(range.prefix(self.terminal.width)),
        ]
    }

    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - Table.width(text))) + text
    }
}
