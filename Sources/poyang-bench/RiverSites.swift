// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// Invented river sites with thresholds of every level, and the readings of their gauges.
///
/// A site has one gauge that reports every five minutes. Message n is reading n / `count` of site n % `count`, so that
/// all sites report in turn. Levels stay below every threshold, but one site in a hundred has a flood every twelve hours:
/// it climbs the whole ladder within an hour and comes down again.
struct RiverSites: Sendable {
    let count: Int

    private static let model = """
        model: bench/river
        name: A river gauge of the benchmark
        channels:
          water_level_meters: { key: water_level_meters, unit: m, min: -5, max: 100 }
        report: { every: 5m }

        """
    static let floodThresholds = [
        ("notice", "17.00"), ("blue", "18.00"), ("yellow", "18.50"), ("orange", "19.00"), ("red", "20.00"),
    ]
    private static let riseThresholds = [
        ("notice", "0.50"), ("blue", "1.00"), ("yellow", "1.50"), ("orange", "2.00"), ("red", "3.00"),
    ]
    /// 2026-01-01T00:00:00Z in ms.
    private static let start: Int64 = 1_767_225_600_000
    static let interval: Milliseconds = 5 * .minute

    /// Unix seconds of the readings in the first `messages`.
    static func span(messages: Int, sites: Int) -> ClosedRange<Int> {
        let first = Int(Self.start / 1000)
        return first...(first + messages / sites * Int(Self.interval / 1000))
    }

    /// Readings from one flood of a site to its next.
    private static let period = 144
    /// Readings that a flood takes.
    private static let flood = 24

    /// Writes `models/` and `sites/` as `Devices/` has them.
    func write(to devices: URL) throws {
        let models = devices.appendingPathComponent("models/bench")
        let sites = devices.appendingPathComponent("sites/bench")
        for folder in [models, sites] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        let model = models.appendingPathComponent("river.yaml")
        try Self.model.write(to: model, atomically: false, encoding: .utf8)
        for site in 0..<self.count {
            let file = sites.appendingPathComponent("\(Self.id(site)).yaml")
            try self.text(site).write(to: file, atomically: false, encoding: .utf8)
        }
    }

    private func text(_ site: Int) -> String {
        var lines = [
            "site: \(Self.id(site))",
            "name: { zh: 测站 \(site), en: Site \(site) }",
            "kind: river",
            "org: bench-office-\(site % 20)",
            "basin: bench",
            "datum: { name: local, source: benchmark }",
            "thresholds:",
        ]
        let tables = [("flood", "m", Self.floodThresholds), ("flood_rise", "m/h", Self.riseThresholds)]
        for (hazard, unit, table) in tables {
            for (level, value) in table {
                lines.append(
                    "  - { hazard: \(hazard), level: \(level), value: \(value), unit: \(unit), valid_from: 2000-01-01, "
                        + "authority: benchmark, source: benchmark, confidence: demo }"
                )
            }
        }
        lines += ["devices:", "  - { id: \(Self.id(site))-1, model: bench/river, interval: 5m }", ""]
        return lines.joined(separator: "\n")
    }

    static func id(_ site: Int) -> String {
        let digits = "\(site)"
        return "river-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// Topic and payload of a message, about a hundred bytes.
    ///
    /// `root` is the first two levels of the topic; the native topic's are `poyang/v1`.
    func message(_ number: Int, root: String) -> (topic: String, payload: String) {
        let site = number % self.count
        let step = number / self.count
        return self.message(site, step, millimeters: Self.millimeters(site, step), root: root)
    }

    /// The same with a level of one's own.
    func message(
        _ site: Int,
        _ step: Int,
        millimeters level: Int,
        root: String = "poyang/v1"
    ) -> (topic: String, payload: String) {
        let time = Self.time(step).milliseconds
        let fraction = level % 1000
        let zeros = fraction < 10 ? "00" : fraction < 100 ? "0" : ""
        return (
            "\(root)/devices/\(Self.id(site))-1/telemetry",
            "{\"ts\":\(time),\"values\":{\"water_level_meters\":\(level / 1000).\(zeros)\(fraction)},"
                + "\"quality\":{\"water_level_meters\":1}}"
        )
    }

    /// When the readings of a step are taken.
    static func time(_ step: Int) -> Timestamp { Timestamp(milliseconds: self.start) + Int64(step) * self.interval }

    /// The level at a site.
    static func millimeters(_ site: Int, _ step: Int) -> Int {
        // A few centimetres up and down, different at each site and time.
        let ripple = (site &* 7919 &+ step &* 104_729) % 61
        guard site % 100 == 7 else { return 15_000 + ripple }
        let phase = (step + site) % Self.period
        guard phase < Self.flood else { return 15_000 + ripple }
        return 15_000 + ripple + min(phase, Self.flood - phase) * 500
    }
}
