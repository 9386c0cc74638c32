// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Makes simulated devices of what the service says about devices, models and sites.
struct SimulatedRegistry {
    /// What a device of any metric, or of the hundreds of a standard, sends at such a place.
    private static let usual: [SiteKind: [String]] = [
        .river: ["water_level_meters", "rainfall_accumulated_millimeters", "battery_volts"],
        .lake: ["water_level_meters", "rainfall_accumulated_millimeters", "battery_volts"],
        .reservoir: ["water_level_meters", "rainfall_accumulated_millimeters", "battery_volts"],
        .rain: ["rainfall_accumulated_millimeters", "battery_volts"],
        .field: ["soil_moisture_percent", "soil_temperature_celsius", "air_temperature_celsius", "battery_volts"],
        .pond: ["dissolved_oxygen_milligrams_per_liter", "water_temperature_celsius", "ph", "battery_volts"],
    ]
    /// What values can be where nobody says it, in canonical units, by the end of the metric's name.
    private static let usualRanges: [(suffix: String, range: ClosedRange<Double>)] = [
        ("_percent", 0...100), ("_celsius", -40...60), ("ph", 0...14), ("_millimeters", 0...100_000),
        ("_meters", -100...9000), ("_degrees", 0...360), ("_hectopascals", 500...1100), ("_volts", 0...30),
        ("_dbm", -150...0), ("_power", 0...1), ("_running", 0...1),
    ]
    /// The interval of devices for which none is registered.
    static let usualInterval: Milliseconds = 10 * .minute

    let devices: JSONValue
    let models: JSONValue
    let sites: JSONValue

    /// The first `count` devices by their ids, all where it is nil; those that measure nothing that can be made up are
    /// left out.
    func simulated(count: Int?, seed: UInt64, profile: SimulationProfile) -> [SimulatedDevice] {
        let models = Dictionary(self.models.elements.map { ($0["model"].cellText, $0) }) { first, _ in first }
        let sites = Dictionary(self.sites.elements.compactMap { Self.site($0).map { ($0.id, $0) } }) { first, _ in first
        }
        return self.devices.elements.sorted { $0["device"].cellText < $1["device"].cellText }.prefix(count ?? .max)
            .compactMap { device in
                guard let site = sites[device["site"].cellText], let model = models[device["model"].cellText] else {
                    return nil
                }
                let id = device["device"].cellText
                let channels = self.channels(of: model, device: device, site: site)
                guard !channels.isEmpty else { return nil }
                let interval = device["interval"].string.flatMap { PrometheusDuration.parse($0) } ?? Self.usualInterval
                return SimulatedDevice(
                    id: id,
                    site: site,
                    interval: interval,
                    channels: channels,
                    fault: SimulatedFault(of: id, seed: seed, profile: profile),
                    seed: seed
                )
            }
    }

    private static func site(_ site: JSONValue) -> SimulatedSite? {
        guard let kind = site["kind"].string.flatMap(SiteKind.init(rawValue:)) else { return nil }
        let order = ["blue", "yellow", "orange", "red"]
        func levels(_ hazard: String) -> [Double] {
            order.compactMap { level in
                site["thresholds"].elements
                    .last { $0["hazard"].string == hazard && $0["level"].string == level && $0["unit"].string == "m" }?[
                        "value"
                    ]
                    .double
            }
        }
        var simulated = SimulatedSite(id: site["site"].cellText, kind: kind)
        simulated.floodLevels = levels("flood")
        simulated.lowLevels = levels("low_water")
        return simulated
    }

    private func channels(
        of model: JSONValue,
        device: JSONValue,
        site: SimulatedSite
    ) -> [SimulatedDevice.Channel] {
        let zero = device["zero_elevation_meters"].double ?? 0
        let wanted = Self.usual[site.kind] ?? []
        if model["any_metric"] == .bool(true) {
            return wanted.map { metric in
                SimulatedDevice.Channel(
                    metric: metric,
                    key: metric,
                    unit: Unit(ofMetric: metric),
                    range: Self.range(of: metric, Unit(ofMetric: metric), nil, nil),
                    zero: 0,
                    depth: ""
                )
            }
        }
        let lines = model["channels"].elements
        // A station has some of all that its standard knows.
        let chosen = lines.filter { $0["optional"] != .bool(true) || wanted.contains($0["metric"].cellText) }
        return chosen.map { line in
            let metric = line["metric"].cellText
            let unit = Unit(named: line["unit"].cellText) ?? Unit(ofMetric: metric)
            return SimulatedDevice.Channel(
                metric: metric,
                key: line["key"].cellText,
                unit: unit,
                range: Self.range(of: metric, unit, line["min"].double, line["max"].double),
                zero: line["adds_zero"] == .bool(true) ? zero : 0,
                depth: line["labels"]["depth"].string ?? ""
            )
        }
    }

    /// In the payload's unit.
    private static func range(of metric: String, _ unit: Unit, _ low: Double?, _ high: Double?) -> ClosedRange<Double> {
        let usual = Self.usualRanges.first { metric.hasSuffix($0.suffix) }?.range ?? 0...1e9
        let ends = [usual.lowerBound, usual.upperBound].map { ($0 - unit.offset) / unit.factor }
        let lower = low ?? min(ends[0], high ?? ends[0])
        return lower...max(lower, high ?? ends[1])
    }
}
