// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// What sensors show of landscape and weather, in canonical units.
struct SimulatedSenses {
    let landscape: Landscape
    let weather: Weather
    let time: Timestamp
    let device: String

    private var site: SimulatedSite { self.landscape.site }

    /// How finely a value is written: 100 for two digits behind the point.
    static func places(of metric: String) -> Double {
        if metric.hasPrefix("rainfall") { return 10 }
        return metric.hasSuffix("_meters") || metric.hasSuffix("_per_second") || metric.hasSuffix("_volts") ? 1000 : 100
    }

    /// The value of a channel; nil for what nobody knows how to make up.
    func value(of channel: SimulatedDevice.Channel, rainSince: Double) -> Double? {
        switch channel.metric {
        case "rainfall_millimeters": (rainSince * 10).rounded() / 10
        case "rainfall_accumulated_millimeters": ((100 + self.landscape.rainTotal) * 10).rounded(.down) / 10
        case "water_level_meters", "tailwater_level_meters": self.level(channel)
        case "discharge_cubic_meters_per_second": 20 * pow(max(0.2, 1 + 3 * self.landscape.rise), 1.6)
        case "reservoir_storage_cubic_meters": 4e7 * (1 + 0.3 * max(-0.9, self.landscape.rise))
        case "soil_moisture_percent": self.soil(depth: channel.depth)
        case "soil_temperature_celsius": 0.6 * self.air + 8 + self.wobble("soil", 24)
        case "paddy_water_depth_millimeters":
            max(0, 30 + 3 * (self.landscape.soil - 26) - min(40, self.landscape.dryHours / 4))
        case "air_temperature_celsius": self.air
        case "relative_humidity_percent": min(100, max(20, 78 - 1.6 * (self.air - 20) + 25 * min(1, self.rain / 2)))
        case "wind_speed_meters_per_second": max(0, 2.5 + 2 * self.wobble("wind", 5) + min(6, self.rain / 5))
        case "wind_direction_degrees":
            (360 + 60 + 110 * self.wobble("direction", 9)).truncatingRemainder(dividingBy: 360)
        case "solar_radiation_watts_per_square_meter": 980 * self.light
        case "air_pressure_hectopascals": 1009 + 7 * self.wobble("pressure", 40) - min(6, self.rain / 4)
        case "water_temperature_celsius": self.water
        case "dissolved_oxygen_milligrams_per_liter": self.oxygen
        case "ph": 7.4 + 0.5 * self.afternoon + 0.1 * self.wobble("ph", 20)
        case "ammonia_nitrogen_milligrams_per_liter":
            0.35 + 0.2 * self.wobble("ammonia", 30) + 0.3 * max(0, self.landscape.rise)
        case "total_phosphorus_milligrams_per_liter":
            0.06 + 0.02 * self.wobble("phosphorus", 30) + 0.1 * max(0, self.landscape.rise)
        case "permanganate_index_milligrams_per_liter": 3.2 + 0.6 * self.wobble("permanganate", 30)
        case "turbidity_ntu": 12 + 4 * self.wobble("turbidity", 6) + 400 * max(0, self.landscape.rise)
        case "conductivity_microsiemens_per_centimeter":
            240 / (1 + max(0, self.landscape.rise)) + 10 * self.wobble("ions", 20)
        case "battery_volts": self.battery(within: channel)
        case "battery_percent": 82 + 6 * self.wobble("battery", 48)
        case "signal_dbm": -88 + 6 * self.wobble("signal", 2) - min(8, self.rain / 6)
        case "mains_power": 1
        case "aerator_running": self.oxygen < 4 ? 1 : 0
        case "pump_running": self.landscape.rise > 0.4 ? 1 : 0
        default: self.middling(channel)
        }
    }

    private var rain: Double { self.weather.rain(at: self.time, site: self.site.id) }
    private var air: Double { self.weather.temperature(at: self.time, site: self.site.id) }
    private var light: Double { self.weather.light(at: self.time, site: self.site.id) }
    private var water: Double { max(3, 0.75 * self.air + 5 + self.wobble("water", 48)) }
    /// -1 at three in the morning, 1 in the afternoon.
    private var afternoon: Double { cos((self.weather.hour(self.time) - 15) / 12 * .pi) }

    /// Saturation by temperature (fresh water, 1 atm), more in the light, less at dawn.
    private var oxygen: Double {
        let water = self.water
        let saturation: Double = 14.6 - 0.41 * water + 0.008 * water * water - 0.000_078 * water * water * water
        let share: Double = 0.85 + 0.2 * self.afternoon + 0.05 * self.wobble("oxygen", 10)
        return max(0.5, saturation * share)
    }

    private func wobble(_ name: String, _ hours: Double) -> Double {
        self.weather.wobble(self.time, self.device, name, hours: hours)
    }

    /// Calm water stands below the first threshold; the great storm brings it above the one of orange.
    private func level(_ channel: SimulatedDevice.Channel) -> Double {
        let ripple = 0.01 * self.wobble("ripple", 0.5)
        let rise = self.landscape.rise
        if self.weather.profile == .drought, let first = self.site.lowLevels.first {
            return max(first - 3, first + 0.6 + 2 * rise) + ripple
        }
        if let first = self.site.floodLevels.first {
            let last: Double = self.site.floodLevels.dropFirst().prefix(2).last ?? first + 0.5
            let base: Double = first - max(1.5, 0.6 * (last - first) + 1)
            let swell: Double = max(0, rise) * (last - base) * 1.1
            return base + swell + min(0, rise) + ripple
        }
        // Somewhere inside of what the sensor can show.
        let lowest: Double = channel.unit.toCanonical(channel.range.lowerBound)
        let highest: Double = channel.unit.toCanonical(channel.range.upperBound)
        let base: Double = min(max(2, lowest + 0.2), 0.3 * max(0.1, highest))
        let width: Double = min(4, 0.5 * (highest - base))
        return channel.zero + base + rise * width + ripple
    }

    /// The deeper, the slower and wetter.
    private func soil(depth: String) -> Double {
        let centimeters = Double(depth.prefix { $0.isNumber }) ?? 20
        let share = min(1, 20 / max(10, centimeters))
        return self.landscape.soil * share + 30 * (1 - share) + 0.2 * self.wobble("moisture", 12)
    }

    private func battery(within channel: SimulatedDevice.Channel) -> Double {
        // Stations have twelve volts and a panel, small nodes three and a half.
        let isSmall = channel.unit.toCanonical(channel.range.upperBound) < 8 || self.site.kind == .field
        return isSmall
            ? 3.6 + 0.03 * self.wobble("battery", 72) : 12.5 + 0.6 * self.light + 0.1 * self.wobble("battery", 24)
    }

    /// What is not known by name moves slowly in the middle of what it can be.
    private func middling(_ channel: SimulatedDevice.Channel) -> Double? {
        let width = channel.range.upperBound - channel.range.lowerBound
        guard width.isFinite, width < 1e12 else { return nil }
        let middle = channel.range.lowerBound + width * (0.5 + 0.1 * self.wobble(channel.key, 6))
        return channel.unit.toCanonical(middle) + channel.zero
    }
}
