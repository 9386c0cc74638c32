// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a series measures, and how its values come to be.
enum SensorKind: String {
    case waterLevel = "water_level_m"
    case rainfall = "rainfall_mm"
    case soilMoisture = "soil_moisture_percent"
    case airTemperature = "air_temperature_celsius"
    case battery = "battery_volts"

    /// Cycles through twenty: 35, 20, 25, 10 and 10 of a hundred.
    static func of(_ index: Int) -> SensorKind {
        switch index % 20 {
        case 0..<7: .waterLevel
        case 7..<11: .rainfall
        case 11..<16: .soilMoisture
        case 16..<18: .airTemperature
        default: .battery
        }
    }

    /// `count` values, `day` of them to a day.
    func values(_ count: Int, day: Double, _ random: inout Xoshiro) -> [Double] {
        switch self {
        case .waterLevel: Self.levels(count, day: day, &random)
        case .rainfall: Self.tips(count, day: day, &random).map { Double($0) / 2 }
        case .soilMoisture: Self.moistures(count, day: day, &random)
        case .airTemperature: Self.temperatures(count, day: day, &random)
        case .battery: Self.voltages(count, day: day, &random)
        }
    }

    /// One to three flood waves over a base, a random walk of 1 mm a step, noise of 4 mm, rounded to 1 cm.
    private static func levels(_ count: Int, day: Double, _ random: inout Xoshiro) -> [Double] {
        struct Wave {
            let peak: Double
            let height: Double
            let rise: Double
            let fall: Double
        }
        let base = random.uniform(8...20)
        let waves = (0..<random.integer(1...3))
            .map { _ in
                Wave(
                    peak: random.uniform(0...Double(count)),
                    height: random.uniform(0.5...4),
                    rise: random.uniform(0.25...1) * day,
                    fall: random.uniform(1...4) * day
                )
            }
        var walk = 0.0
        return (0..<count)
            .map { step in
                walk += 0.001 * random.normal()
                var level = base + walk + 0.004 * random.normal()
                for wave in waves {
                    let distance = Double(step) - wave.peak
                    let scale = distance < 0 ? wave.rise : wave.fall
                    level += wave.height * Foundation.exp(-distance.magnitude / scale)
                }
                return (level * 100).rounded() / 100
            }
    }

    /// Tips of the bucket per step: a burst begins about every two days and lasts some hours.
    private static func tips(_ count: Int, day: Double, _ random: inout Xoshiro) -> [Int] {
        var remaining = 0.0
        var intensity = 0.0
        return (0..<count)
            .map { _ in
                if remaining <= 0, random.unit() < 1 / (2 * day) {
                    remaining = random.uniform(0.05...0.4) * day
                    intensity = random.uniform(0.1...1.5)
                }
                guard remaining > 0 else { return 0 }
                remaining -= 1
                return random.poisson(intensity)
            }
    }

    /// Slow drying, wetting by rain, noise of half a step, rounded to 0.1.
    private static func moistures(_ count: Int, day: Double, _ random: inout Xoshiro) -> [Double] {
        let rain = Self.tips(count, day: day, &random)
        let floor = random.uniform(8...15)
        var moisture = random.uniform(20...38)
        return (0..<count)
            .map { step in
                moisture -= (moisture - floor) * 0.05 / day
                moisture = min(moisture + 0.08 * Double(rain[step]), 45)
                return ((moisture + 0.05 * random.normal()) * 10).rounded() / 10
            }
    }

    /// A sine over the day, weather that wanders, noise of 0.1 degrees, rounded to 0.1.
    private static func temperatures(_ count: Int, day: Double, _ random: inout Xoshiro) -> [Double] {
        let mean = random.uniform(16...28)
        let amplitude = random.uniform(3...6)
        var weather = 0.0
        return (0..<count)
            .map { step in
                weather += 0.02 * random.normal() - weather * 0.2 / day
                let phase = (Double(step) / day - 0.375) * 2 * Double.pi
                let value = mean + amplitude * Foundation.sin(phase) + weather + 0.1 * random.normal()
                return (value * 10).rounded() / 10
            }
    }

    /// Charged by day, noise of 5 mV, rounded to 0.01.
    private static func voltages(_ count: Int, day: Double, _ random: inout Xoshiro) -> [Double] {
        let mean = random.uniform(12.4...12.9)
        let amplitude = random.uniform(0.2...0.5)
        return (0..<count)
            .map { step in
                let phase = (Double(step) / day - 0.375) * 2 * Double.pi
                let value = mean + amplitude * Foundation.sin(phase) + 0.005 * random.normal()
                return (value * 100).rounded() / 100
            }
    }
}
