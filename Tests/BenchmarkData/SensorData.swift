// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Sensor series of a river basin as issue 3 describes them, the same for the same seed everywhere.
///
/// Of twenty series seven are `water_level_m` (1 cm), four `rainfall_mm` (tips of 0.5 mm), five
/// `soil_moisture_percent` (0.1), two `air_temperature_celsius` (0.1) and two `battery_volts` (0.01). Three of ten have
/// clocks that are up to 3 s early or late. Every series follows from seed and index alone, so threads can share the
/// work and no more than one series need be in memory.
package struct SensorData: Sendable {
    /// The number of series.
    package let count: Int
    /// Samples of each series.
    package let samplesPerSeries: Int
    private let interval: Milliseconds
    private let seed: UInt64
    private let start: Timestamp

    package init(
        series: Int = 2000,
        days: Int = 20,
        interval: Milliseconds = 300_000,
        seed: UInt64 = 1,
        start: Timestamp = Timestamp(milliseconds: 1_751_328_000_000)
    ) {
        self.count = series
        self.samplesPerSeries = Int(Milliseconds(days) * .day / interval)
        self.interval = interval
        self.seed = seed
        self.start = start
    }

    /// Metric name, `station` and one of 97 counties.
    package func labels(_ index: Int) -> Labels {
        let county = "county-\(index % 97 < 9 ? "0" : "")\(index % 97 + 1)"
        return Labels(
            metric: SensorKind.of(index).rawValue,
            ["station": "station-\(String(100_000 + index))", "county": county]
        )
    }

    /// Whether the series' clock is early or late by up to 3 s.
    package func isJittered(_ index: Int) -> Bool {
        // Not in step with the metric's cycle of twenty, so that every metric has jittered series.
        (index / 20 + index * 3) % 10 < 3
    }

    /// All samples of a series, oldest first.
    package func samples(_ index: Int) -> (times: [Timestamp], values: [Double]) {
        var random = Xoshiro(seed: self.seed &+ UInt64(index) &* 0xA076_1D64_78BD_642F)
        let isJittered = self.isJittered(index)
        let times = (0..<self.samplesPerSeries)
            .map { step -> Timestamp in
                let jitter = isJittered ? random.integer(-3000...3000) : 0
                return Timestamp(milliseconds: self.start.milliseconds + Int64(step) * self.interval + jitter)
            }
        let day = Double(Milliseconds.day) / Double(self.interval)
        let values = SensorKind.of(index).values(self.samplesPerSeries, day: day, &random)
        return (times, values)
    }
}
