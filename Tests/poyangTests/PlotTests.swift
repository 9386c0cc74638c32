// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import poyang

struct PlotTests {
    private static let start = Timestamp(milliseconds: 1_655_798_400_000)

    /// Samples every ten minutes; nil for none.
    private func line(_ site: String, _ values: [Double?]) -> PlotSeries {
        let points = values.enumerated()
            .compactMap { index, value in
                value.map { PlotSeries.Point(time: Self.start + Int64(index) * 10 * .minute, value: $0) }
            }
        return PlotSeries(labels: ["__name__": "water_level_meters", "site": site], points: points)
    }

    private func chart(_ series: [PlotSeries], _ terminal: Terminal, count: Int = 100) -> [String] {
        let chart = LineChart(
            series: series,
            from: Self.start,
            through: Self.start + Int64(count - 1) * 10 * .minute,
            step: 10 * .minute,
            unit: PlotUnit(ofQuery: "water_level_meters"),
            terminal: terminal
        )
        return chart.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test(arguments: [40, 80, 133], [true, false]) func fitsTheTerminal(width: Int, isUnicode: Bool) {
        let rising = self.line("xingzi", (0..<100).map { 18 + Double($0) / 50 })
        let lines = self.chart([rising, self.line("hukou", [])], Terminal(width: width, isUnicode: isUnicode))
        #expect(lines.allSatisfy { $0.count <= width }, "\(lines)")
        #expect(lines.first == "water_level_meters (m)")
        #expect(lines.last?.contains("xingzi") == true)
        #expect(lines.contains { $0.hasPrefix(isUnicode ? "18.0 ┤" : "18.0 |") }, "\(lines)")
        #expect(lines.contains { $0.contains("06-22 00:00") }, "\(lines)")
        #expect(lines.contains { $0.contains("2022-06-21 16:00") && (width < 60 || $0.contains("+08:00, every 10m")) })
        #expect(isUnicode || lines.joined().utf8.allSatisfy { $0 < 128 })
        #expect(!lines.joined().contains("\u{1B}"), "no colours where nobody asked for them")
    }

    @Test func aRisingLineRises() throws {
        let lines = self.chart([self.line("x", (0..<100).map { Double($0) })], Terminal(width: 60, isUnicode: false))
        let places = lines.filter { $0.contains("*") }
            .compactMap { line in
                line.firstIndex(of: "*").map { line.distance(from: line.startIndex, to: $0) }
            }
        #expect(places.count == 16)
        #expect(zip(places, places.dropFirst()).allSatisfy { $0 > $1 }, "\(places)")
    }

    @Test func gapsStayOpen() throws {
        let values: [Double?] = (0..<100).map { (30..<70).contains($0) ? nil : 5 }
        let lines = self.chart([self.line("x", values)], Terminal(width: 107, isUnicode: false))
        let drawn = try #require(lines.first { $0.contains("*") })
        #expect(drawn.contains("*          "))
        #expect(drawn.split(separator: " ").filter { $0.contains("*") }.count == 2, "\(drawn)")
        let whole = self.chart(
            [self.line("x", Array(repeating: 5, count: 100))],
            Terminal(width: 107, isUnicode: false)
        )
        #expect(whole.first { $0.contains("*") }?.contains("* ") == false)
    }

    @Test func whatIsNoNumberIsAGap() {
        let values: [Double?] = (0..<100).map { $0 < 50 ? .nan : $0 == 50 ? .infinity : 7 }
        let lines = self.chart([self.line("x", values)], Terminal(width: 60, isUnicode: false))
        #expect(lines.contains { $0.contains("*") })
        #expect(lines.contains { $0.hasPrefix("7.00 |") || $0.hasPrefix("7.0 |") }, "\(lines)")
    }

    @Test func manySeriesAreCounted() {
        let lines = self.chart((0..<20).map { self.line("s\($0)", [Double($0)]) }, Terminal(width: 200))
        #expect(lines.last?.hasPrefix("A s0  B s1") == true)
        #expect(lines.last?.hasSuffix("H s7  and 12 more") == true)
    }

    @Test func namesSayOnlyWhatTellsApart() {
        let one = PlotSeries(labels: ["__name__": "m", "a": "1", "b": "x"], points: [])
        let two = PlotSeries(labels: ["__name__": "m", "a": "2", "b": "x"], points: [])
        let three = PlotSeries(labels: ["__name__": "n", "a": "2", "b": "x", "c": "y"], points: [])
        #expect(PlotNames([one]).title(unit: "") == #"m{a="1",b="x"}"#)
        #expect(PlotNames([one, two]).title(unit: "") == #"m{b="x"}"#)
        #expect(PlotNames([one, two]).title(unit: "mm", width: 10) == "m (mm)")
        #expect(PlotNames([one, two]).names == ["1", "2"])
        let four = PlotSeries(labels: ["__name__": "m", "a": "2", "b": "z"], points: [])
        #expect(PlotNames([one, two, four]).names == ["a=1 b=x", "a=2 b=x", "a=2 b=z"])
        #expect(PlotNames([one, three]).names == ["m", "n"])
    }

    @Test func barsBeginAtZero() {
        let series = [("a", 20.0), ("湖口", 10), ("c", 0), ("d", .nan)]
            .map { name, value in
                PlotSeries(labels: ["site": name], points: [.init(time: Self.start, value: value)])
            }
        let chart = BarChart(
            series: series,
            unit: PlotUnit(ofQuery: "x"),
            terminal: Terminal(width: 40, isUnicode: false)
        )
        let bar = String(repeating: "#", count: 30)
        #expect(chart.text == "a     \(bar) 20\n湖口  \(bar.dropLast(15)) 10\nc      0\nd      NaN")
    }

    @Test func barsBelowZeroGoTheOtherWay() {
        let series = [("a", -10.0), ("b", 10)]
            .map { name, value in
                PlotSeries(labels: ["site": name], points: [.init(time: Self.start, value: value)])
            }
        let chart = BarChart(
            series: series,
            unit: PlotUnit(ofQuery: "x"),
            terminal: Terminal(width: 27, isUnicode: true)
        )
        let bar = String(repeating: "█", count: 10)
        #expect(chart.text == "a  \(bar) -10\nb  \(String(repeating: " ", count: 10))\(bar) 10")
    }

    @Test(arguments: [
        ("water_level_meters", "m"), ("max by (site) (discharge_cubic_meters_per_second)", "m³/s"),
        ("sum_over_time(rainfall_millimeters[1d])", "mm"), ("rate(rainfall_millimeters[1h])", "mm/s"),
        ("deriv(discharge_cubic_meters_per_second[1h])", "m³/s²"), ("count(water_level_meters)", ""),
        ("water_level_meters - 1", "m"), ("water_level_meters / 2", ""), ("ph", ""), ("raet(", ""),
        ("http_request_duration_seconds", "s"), ("air_temperature_celsius > 30", "℃"),
        ("water_level_meters > bool 30", ""), ("a_meters - b_celsius", ""),
    ])
    func guessesTheUnit(query: String, symbol: String) {
        #expect(PlotUnit(ofQuery: query).symbol == symbol)
        #expect(PlotUnit(ofQuery: query).ascii.utf8.allSatisfy { $0 < 128 })
    }
}

struct PlotAxisTests {
    @Test(arguments: [
        ([0, 1], ["0.0", "0.5", "1.0"]), ([19.07, 19.09], ["19.070", "19.075", "19.080", "19.085", "19.090"]),
        ([1, 1], ["0.95", "1.00", "1.05"]), ([0, 0], ["-1.0", "-0.5", "0.0", "0.5", "1.0"]),
        ([.nan, -3, .infinity, -5], ["-5.0", "-4.5", "-4.0", "-3.5", "-3.0"]), ([0, 11e6], ["0", "5e+06", "1e+07"]),
        ([123_456_789, 123_456_790], ["123456789", "123456789.5", "123456790"]), ([], ["0.0", "0.5", "1.0"]),
    ])
    func valuesHaveRoundTicks(values: [Double], ticks: [String]) {
        let axis = ValueAxis(of: values, most: 5)
        #expect(axis.ticks.map(axis.text) == ticks)
    }

    @Test(arguments: [
        [1e300, -1e300], [.leastNonzeroMagnitude, 0], [1e16, 1e16 + 2],
        [.greatestFiniteMagnitude, -.greatestFiniteMagnitude],
        [1e-300, 2e-300], [-0.0, 0.0],
    ])
    func extremeValuesHaveSomeTicks(values: [Double]) {
        let axis = ValueAxis(of: values, most: 5)
        #expect(!axis.ticks.isEmpty)
        #expect(axis.low <= values.min() ?? 0 && axis.high >= values.max() ?? 0)
    }

    private static let times: [(seconds: Int64, ticks: String)] = [
        (60, "06-21 16:00:00|16:00:10|16:00:20|16:00:30|16:00:40|16:00:50|16:01:00"),
        (90_000, "06-21 18:00|06-22 00:00|06:00|12:00"), (604_800, "06-23|06-25|06-27"),
        (94_608_000, "2022-07|2023-01|2023-07|2024-01|2024-07|2025-01"), (1_261_440_000, "2030|2040|2050|2060"),
        (0, "06-21 16:00:00"),
    ]

    @Test(arguments: times)
    func timesAreWholeInChina(seconds: Int64, ticks: String) {
        let from = Timestamp(milliseconds: 1_655_798_400_000)
        let axis = TimeAxis(from: from, through: from + seconds * .second, most: 6)
        #expect(axis.ticks.map(\.text).joined(separator: "|") == ticks)
    }
}
