// poyang
// SPDX-License-Identifier: Apache-2.0

import BenchmarkData
import Foundation
import PayloadCodecs
import Telemetry
import TestSupport

/// The series that both programs are asked about: three days of sensors, counters that begin anew, series with gaps or
/// only a part of the time, values that are no numbers, and classic histograms.
///
/// All samples lie between 300 and 699 ms after a full second. Evaluation times, borders of windows and steps of
/// subqueries never do, so that no border ever meets a sample: there Prometheus 2 and 3 differ.
struct ComparisonData {
    static let start = Timestamp(milliseconds: 1_700_000_100_371)
    static let days = 3
    private static let interval: Milliseconds = 300_000

    private var random: SeededGenerator
    private let sensors: SensorData

    init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
        self.sensors = SensorData(series: 60, days: Self.days, seed: seed, start: Self.start)
    }

    /// All series as OpenMetrics.
    mutating func openMetrics() -> Data {
        let writer = BulkWriter(.openMetrics)
        var text: [UInt8] = []
        writer.begin(into: &text)
        for series in self.sensorSeries() + self.counters() + self.partialSeries() + self.oddSeries() {
            writer.write(series, into: &text)
        }
        for series in self.histograms() { writer.write(series, into: &text) }
        writer.end(into: &text)
        return Data(text)
    }

    /// The sensors' metrics with labels by which they can be paired: the n-th series of each is at station n, soil
    /// moisture in two depths.
    private func sensorSeries() -> [BulkSeries] {
        var counts: [String: Int] = [:]
        return (0..<self.sensors.count)
            .map { index in
                let metric = self.sensors.labels(index).metric
                let number = counts[metric, default: 0]
                counts[metric] = number + 1
                var (times, values) = self.sensors.samples(index)
                times = times.map { time in
                    let rest = time.milliseconds % 1000
                    return Timestamp(milliseconds: time.milliseconds - rest + 300 + rest * 2 / 5)
                }
                guard metric == "soil_moisture_percent" else {
                    return BulkSeries(labels: Self.labels(metric, station: number), times: times, values: values)
                }
                let depth = number % 2 == 0 ? "10cm" : "20cm"
                let labels = Self.labels(metric, station: number / 2, ["depth": depth])
                return BulkSeries(labels: labels, times: times, values: values)
            }
    }

    private mutating func counters() -> [BulkSeries] {
        var found: [BulkSeries] = []
        for station in 0..<5 {
            for code in ["200", "404", "500"] {
                var count = Double(Int.random(in: 0...2000, using: &self.random))
                found.append(
                    self.series(Self.labels("requests_total", station: station, ["code": code])) { random, _ in
                        if Int.random(in: 0..<250, using: &random) == 0 { count = 0 }
                        count += Double(Int.random(in: 0...40, using: &random))
                        return count
                    }
                )
            }
        }
        for station in 0..<3 {
            var volume = Double.random(in: 0...50, using: &self.random)
            found.append(
                self.series(Self.labels("volume_total", station: station), every: 60_000) { random, _ in
                    if Int.random(in: 0..<900, using: &random) == 0 { volume = 0 }
                    volume += Double.random(in: 0...2, using: &random)
                    return volume
                }
            )
        }
        return found
    }

    /// Series with gaps, and series that begin late or end early.
    private mutating func partialSeries() -> [BulkSeries] {
        var found: [BulkSeries] = []
        for station in 0..<6 {
            var gap = 0
            found.append(
                self.series(Self.labels("gap_meters", station: station), irregularity: 250) { random, _ in
                    if gap == 0, Int.random(in: 0..<25, using: &random) == 0 {
                        gap = Int.random(in: 1...40, using: &random)
                    }
                    gap = max(0, gap - 1)
                    let value = Double(Int.random(in: 0...2000, using: &random)) / 100
                    return gap > 0 ? nil : value
                }
            )
        }
        for station in 0..<6 {
            let count = Self.days * 288
            let border = Int.random(in: count * 2 / 3..<count, using: &self.random)
            let begins = station % 2 == 0
            found.append(
                self.series(Self.labels("short_meters", station: station)) { random, step in
                    let value = Double(Int.random(in: -500...500, using: &random)) / 10
                    return begins == (step >= border) ? value : nil
                }
            )
        }
        return found
    }

    /// NaN, infinities, zeros and negative values; a state that is 0 or 1.
    private mutating func oddSeries() -> [BulkSeries] {
        let odd = [Double.nan, .infinity, -.infinity, 0, -0.0, 1e-9, -1e-9, 1e4, -1e4, 0.5, 2.5, -2.5]
        var found: [BulkSeries] = []
        for station in 0..<4 {
            found.append(
                self.series(Self.labels("odd_value", station: station)) { random, _ in
                    guard Int.random(in: 0..<3, using: &random) == 0 else {
                        return Double(Int.random(in: -9...9, using: &random))
                    }
                    return odd[Int.random(in: odd.indices, using: &random)]
                }
            )
        }
        for station in 0..<6 {
            var isOn = false
            found.append(
                self.series(Self.labels("pump_running", station: station)) { random, _ in
                    if Int.random(in: 0..<12, using: &random) == 0 { isOn.toggle() }
                    return isOn ? 1 : 0
                }
            )
        }
        return found
    }

    private mutating func histograms() -> [BulkSeries] {
        let bounds = ["0.1", "0.5", "1", "2.5", "+Inf"]
        var found: [BulkSeries] = []
        for station in 0..<3 {
            var counts = [Double](repeating: 0, count: bounds.count)
            var rows: [[Double]] = []
            for _ in 0..<Self.days * 288 {
                if Int.random(in: 0..<400, using: &self.random) == 0 { counts = counts.map { _ in 0 } }
                var added = 0.0
                for bucket in bounds.indices {
                    added += Double(Int.random(in: 0...6, using: &self.random))
                    counts[bucket] += added
                }
                rows.append(counts)
            }
            for (bucket, bound) in bounds.enumerated() {
                let labels = Self.labels("delay_seconds_bucket", station: station, ["le": bound])
                found.append(self.series(labels) { _, step in rows[step][bucket] })
            }
            let total = Self.labels("delay_seconds_count", station: station)
            found.append(self.series(total) { _, step in rows[step].last })
        }
        return found
    }

    /// A series with a sample wherever `value` gives one for the number of the step, up to `irregularity` seconds late.
    private mutating func series(
        _ labels: Labels,
        every interval: Milliseconds = ComparisonData.interval,
        irregularity: Int64 = 0,
        _ value: (inout SeededGenerator, Int) -> Double?
    ) -> BulkSeries {
        var series = BulkSeries(labels: labels)
        for step in 0..<Int(Milliseconds(Self.days) * .day / interval) {
            guard let value = value(&self.random, step) else { continue }
            let delay = Int64.random(in: 0...irregularity, using: &self.random) * 1000
            series.times.append(Self.start + Milliseconds(step) * interval + delay)
            series.values.append(value)
        }
        return series
    }

    private static func labels(_ metric: String, station: Int, _ more: [String: String] = [:]) -> Labels {
        var labels = Labels(metric: metric, ["station": "s\(station)", "county": "c\(station % 4)"])
        for (name, value) in more { labels[name] = value }
        return labels
    }
}
