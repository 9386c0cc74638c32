// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import EarlyWarning
import Foundation
import Telemetry

/// Invented sites with a level gauge and a rain gauge each, and ten rules over them, for the rule engine alone.
///
/// Levels are those of ``RiverSites``. The rain gauge reports two minutes after the level gauge; where there is a flood, it
/// rained 60 mm in an hour at every fourth of them, elsewhere it drizzles.
struct GaugedSites: Sendable {
    let count: Int

    /// Of the rules of ``rules(hours:others:in:)`` so many look at the level, and so many at the rain.
    static let levelRules = 8
    static let rainRules = 2
    /// How long after the level gauge the rain gauge reports.
    static let rainDelay: Milliseconds = 2 * .minute

    private static let models = [
        "level": """
        model: bench/level
        channels:
          water_level_meters: { key: water_level_meters, unit: m, min: -5, max: 100 }
        report: { every: 5m }

        """,
        "rain": """
        model: bench/rain
        channels:
          rainfall_millimeters: { key: rainfall_millimeters, unit: mm, min: 0, max: 300 }
        report: { every: 5m }

        """,
    ]
    private static let riseThresholds = [(WarningLevel.yellow, 1.5), (.red, 3.0)]

    /// The sites with their gauges, registered at run time: a hundred thousand files would take minutes to read.
    func catalog() throws -> Catalog {
        let models = Self.models.map { SourceText(path: "Devices/models/bench/\($0.key).yaml", text: $0.value) }
        var registered = CatalogRegistrations.none
        for number in 0..<self.count {
            let id = RiverSites.id(number)
            registered.sites.append(self.site(number))
            for model in Self.models.keys {
                registered.devices.append(Device(id: "\(id)-\(model)", model: "bench/\(model)", site: id))
            }
        }
        return try Catalog(files: CatalogFiles.parse(models), registered: registered)
    }

    private func site(_ number: Int) -> Site {
        func threshold(_ hazard: Hazard, _ level: WarningLevel, _ value: Double, _ unit: Telemetry.Unit) -> Threshold {
            Threshold(
                hazard: hazard,
                level: level,
                name: "",
                value: value,
                unit: unit,
                validFrom: Timestamp(milliseconds: 946_684_800_000),
                validTo: nil,
                authority: "benchmark",
                source: "benchmark",
                confidence: "demo"
            )
        }
        let flood = RiverSites.floodThresholds.compactMap { level, value in
            WarningLevel(rawValue: level).map { threshold(.flood, $0, Double(value) ?? .nan, .meters) }
        }
        let rise = Self.riseThresholds.map { threshold(.floodRise, $0.0, $0.1, .metersPerHour) }
        return Site(
            id: RiverSites.id(number),
            name: LocalizedName(zh: "测站 \(number)", en: "Site \(number)"),
            kind: .lake,
            org: "bench-office-\(number % 20)",
            basin: "bench",
            thresholds: flood + rise
        )
    }

    /// The depth that fell before a reading of the rain gauge, in mm.
    static func rainfall(_ site: Int, _ step: Int) -> Double {
        guard site % 100 == 7, (step + site) % 576 < 12 else { return (site &+ step) % 3 == 0 ? 0.1 : 0 }
        return 5
    }

    /// Ten rules: five levels of the stage, two of its rise, one of where it is going, two of rain.
    ///
    /// - Parameters:
    ///   - hours: The windows of rise, projection and rain.
    ///   - others: So many further rules, over metrics that these sites do not have.
    ///   - folder: Where the file is written that is read.
    /// - Returns: The rules, each level by itself.
    /// - Throws: When the file cannot be written.
    static func rules(hours: Int, others: Int, in folder: URL) throws -> RuleSet {
        let stage = #"site_threshold_meters{hazard="flood",level="$level"}"#
        let rise = #"site_threshold_meters_per_hour{hazard="flood_rise",level="$level"}"#
        let level = #"water_level_meters{sensor=""}"#
        let risen = "(\(level) - min_over_time(\(level)[\(hours)h]))"
        let on = "on(site) group_left()"
        var text = """
            groups:
              - name: bench
                rules:
                  - alert: Stage
                    expr: \(level) >= \(on) \(stage)
                    clear: \(level) < \(on) (\(stage) - 0.10)
                    threshold: \(stage)
                    levels: [notice, blue, yellow, orange, red]
                    labels: { hazard: flood }
                  - alert: Rise
                    expr: \(risen) >= \(on) \(rise)
                    clear: \(risen) < \(on) (\(rise) * 0.5)
                    threshold: \(rise)
                    levels: [yellow, red]
                    labels: { hazard: flood_rise }
                  - alert: Projection
                    expr: >-
                      predict_linear(\(level)[\(hours)h], 6 * 3600)
                      >= \(on) site_threshold_meters{hazard="flood",level="red"}
                    labels: { hazard: flood, level: notice }
                  - alert: Rain
                    expr: covered_sum_over_time(rainfall_millimeters[\(hours)h]) >= $threshold
                    maybe: possible_sum_over_time(rainfall_millimeters[\(hours)h]) >= $threshold
                    levels: { blue: 50, red: 100 }
                    labels: { hazard: rain }

            """
        let metrics = [
            "ph", "battery_volts", "turbidity_ntu", "soil_temperature_celsius", "wind_speed_meters_per_second",
        ]
        for number in 0..<others {
            text += "      - alert: Other\(number)\n"
            text += "        expr: avg_over_time(\(metrics[number % metrics.count])[1h]) > \(number)\n"
        }
        let file = folder.appendingPathComponent("bench-\(hours)-\(others).yaml")
        try text.write(to: file, atomically: false, encoding: .utf8)
        return try RuleFileLoader().load(paths: [file.path])
    }
}
