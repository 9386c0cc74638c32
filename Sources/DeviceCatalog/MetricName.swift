// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The names of measurands: lower-case words joined by `_`, the canonical unit last.
package enum MetricName {
    /// The names that the platform promises to outsiders, each with the range that is physically possible.
    static let known: [String: ClosedRange<Double>] = [
        "water_level_meters": -500...9000,
        "discharge_cubic_meters_per_second": -1_000_000...1_000_000,
        "rainfall_millimeters": 0...2000,
        "rainfall_accumulated_millimeters": 0...1_000_000,
        "reservoir_storage_cubic_meters": 0...1e12,
        "soil_moisture_percent": 0...100,
        "soil_temperature_celsius": -60...90,
        "paddy_water_depth_millimeters": -2000...5000,
        "air_temperature_celsius": -90...70,
        "relative_humidity_percent": 0...100,
        "wind_speed_meters_per_second": 0...150,
        "wind_direction_degrees": 0...360,
        "solar_radiation_watts_per_square_meter": -50...2000,
        "air_pressure_hectopascals": 300...1100,
        "water_temperature_celsius": -10...60,
        "dissolved_oxygen_milligrams_per_liter": 0...60,
        "ph": 0...14,
        "ammonia_nitrogen_milligrams_per_liter": 0...10_000,
        "total_phosphorus_milligrams_per_liter": 0...10_000,
        "permanganate_index_milligrams_per_liter": 0...10_000,
        "turbidity_ntu": 0...100_000,
        "conductivity_microsiemens_per_centimeter": 0...1_000_000,
        "battery_volts": 0...1000,
        "signal_dbm": -200...100,
        "mains_power": 0...1,
        "aerator_running": 0...1,
        "pump_running": 0...1,
    ]

    /// Names without a unit end in one of these, or are among the known ones.
    private static let unitlessEndings = ["_running", "_open", "_power", "_state", "_count", "_ratio"]

    /// Whether a name is one of the platform's, or follows their pattern: `nitrate_milligrams_per_liter`.
    package static func isAcceptable(_ name: String) -> Bool {
        if self.known[name] != nil { return true }
        guard self.isWellFormed(name) else { return false }
        let hasUnit = Unit.all.contains {
            $0.suffix == $0.canonical && !$0.suffix.isEmpty && name.hasSuffix("_" + $0.suffix)
        }
        return hasUnit || self.unitlessEndings.contains { name.hasSuffix($0) && name.utf8.count > $0.utf8.count }
    }

    /// Lower-case letters, digits and single underscores; a letter first, at most 100 bytes.
    static func isWellFormed(_ name: String) -> Bool {
        guard (1...100).contains(name.utf8.count), let first = name.utf8.first,
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first), !name.hasSuffix("_"), !name.contains("__")
        else { return false }
        return name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
    }

    /// What is physically possible for a metric, in its canonical unit; for means and extremes of it (`ph_mean_1h`), too.
    package static func physicalRange(of metric: String) -> ClosedRange<Double> {
        if let range = self.known[metric] ?? self.known[self.withoutStatistic(metric)] { return range }
        return switch Unit(ofMetric: metric).suffix {
        case "milligrams_per_liter": 0...1_000_000
        case "percent": 0...100
        case "celsius": -273.15...2000
        case "degrees": -360...360
        case "volts": -1_000_000...1_000_000
        default: -1e15...1e15
        }
    }

    /// `ph` for `ph_mean_1h`, `air_temperature_celsius` for `air_temperature_maximum_1d_celsius`.
    private static func withoutStatistic(_ metric: String) -> String {
        let words = metric.split(separator: "_")
        guard let at = words.firstIndex(where: { ["mean", "minimum", "maximum"].contains($0) }) else { return metric }
        return (words[..<at] + words.dropFirst(at + 2)).joined(separator: "_")
    }

    /// The known name that is spelled most alike, where one is near enough to be meant.
    static func nearest(to name: String) -> String? {
        let lowered = name.lowercased()
        return self.known.keys.sorted()
            .first { $0.hasPrefix(lowered) || $0.contains(lowered) && lowered.utf8.count > 3 }
    }
}
