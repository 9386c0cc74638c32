// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Parameters by metric, each with where it comes from; metrics for which no source is known have none.
package enum QualityDefaults {
    /// What makes a value of a metric suspect; nil where nothing is known that holds everywhere.
    package static func parameters(of metric: String) -> QualityParameters? { self.table[metric] }

    /// The metrics that have any.
    package static var metrics: [String] { self.table.keys.sorted() }

    private static let table: [String: QualityParameters] = [
        // Changes from one minute to the next and plausible values: I. Zahumenský, "Guidelines on Quality Control
        // Procedures for Data from Automatic Weather Stations", WMO, CBS/OPAG-IOS (ET AWS-3), 2004.
        "air_temperature_celsius": .weather(range: -80...60, perMinute: 3),
        "relative_humidity_percent": .weather(range: nil, perMinute: 15),
        "air_pressure_hectopascals": .weather(range: 500...1100, perMinute: 2),
        "wind_speed_meters_per_second": .weather(range: 0...75, perMinute: 20),
        "solar_radiation_watts_per_square_meter": .weather(range: nil, perMinute: 800),
        "soil_temperature_celsius": .weather(range: -50...50, perMinute: nil),
        // A flashy creek of 6.5 km² (USGS 01581752, 2016–2018, 305,958 values of five minutes) never rose by more than
        // 0.506 m in five minutes, and never came back from a point by more than 0.061 m: twice, and five times that.
        "water_level_meters": .water(rate: 1.0, spike: 0.3),
        // The same creek: 1.6 K in five minutes at most, 0.4 K there and back.
        "water_temperature_celsius": .water(rate: 3.2, spike: 1.0),
        // French Creek (streamMetabolizer's example, 9,225 values of five minutes): a sensor in the water moved by
        // 0.53 mg/L in five minutes at most; oxygen of 14.6 mg/L saturates fresh water at 0 °C, twice that is a fault.
        "dissolved_oxygen_milligrams_per_liter": .water(rate: 2.0, spike: 0.5, range: 0...29.2),
    ]
}

extension QualityParameters {
    fileprivate static func weather(range: ClosedRange<Double>?, perMinute: Double?) -> QualityParameters {
        var parameters = QualityParameters()
        parameters.grossRange = range
        parameters.rateOfChange = perMinute.map { RateOfChange(limit: $0, span: .minute) }
        return parameters
    }

    fileprivate static func water(
        rate: Double,
        spike: Double,
        range: ClosedRange<Double>? = nil
    ) -> QualityParameters {
        var parameters = QualityParameters()
        parameters.grossRange = range
        parameters.rateOfChange = RateOfChange(limit: rate, span: 5 * .minute)
        parameters.spike = spike
        return parameters
    }
}
