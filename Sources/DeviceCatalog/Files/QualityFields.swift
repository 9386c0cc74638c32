// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry

/// Reads `qc:` of a model's channel and of a site.
///
/// ```yaml
/// qc:                                  # of a channel: in the payload's unit; of a site: by metric, in its canonical unit
///   gross_range: { min: 0, max: 20 }
///   climatology: [{ months: [6, 7, 8], min: 15, max: 35 }]
///   rate_of_change: { limit: 1, per: 5m, confirm: 1h }
///   spike: 0.3
///   flat_line: { for: 12h, tolerance: 0 }
///   gap: 1h
///   neighbour: { sites: [hukou, duchang], offsets: [0.1, -0.2], tolerance: 0.5, age: 30m }      # of a site
///   identical: { sites: [hukou], changes: 10 }                                                  # of a site
/// ```
/// `qc: default` takes the parameters that the platform knows for the metric. At a site, a test that is `off` is not made, and
/// a metric that is `off` is not tested.
enum QualityFields {
    private static let ownTests: [QualityTest] = [
        .grossRange, .climatology, .rateOfChange, .spike, .flatLine, .gap,
    ]
    private static let siteTests = ownTests + [.neighbour, .identical]

    /// The parameters of a channel, made canonical; nil where there is no test.
    static func read(_ value: YAMLValue, of channel: Channel) -> QualityParameters? {
        if value.isScalar {
            guard value.string == "default" else {
                value.report("'qc' is a mapping of tests, or 'default'", zh: "qc 应为各项检验，或 default")
                return nil
            }
            if let known = QualityDefaults.parameters(of: channel.metric) { return known }
            let known = QualityDefaults.metrics.joined(separator: ", ")
            value.report(
                "there are no defaults for \(channel.metric); give its tests, or leave 'qc' out. There are some for \(known)",
                zh: "\(channel.metric) 没有默认检验；请填写各项检验或去掉 qc。有默认检验的为 \(known)"
            )
            return nil
        }
        guard let map = value.mapping(keys: self.ownTests.map(\.description)) else { return nil }
        if channel.addsZeroElevation {
            for test in [QualityTest.grossRange, .climatology] {
                map[test.description]?
                    .report(
                        "'\(test)' of a level above a datum is the site's matter: give it in the site's file, under "
                            + "qc: { \(channel.metric): … }",
                        zh: "有基面的水位，“\(test)”因站而异：请写在站点文件的 qc: { \(channel.metric): … } 下"
                    )
            }
        }
        var reader = Reader(metric: channel.metric, unit: channel.unit)
        for test in self.ownTests { if let value = map[test.description] { reader.read(test, value) } }
        return reader.parameters.isEmpty ? nil : reader.parameters
    }

    /// What a site says of its metrics, by metric.
    ///
    /// `value` is the mapping, `references` takes the other sites that are named.
    static func overrides(
        _ value: YAMLValue,
        site: String,
        references: inout [(id: String, place: YAMLValue)]
    ) -> [String: QualityOverride] {
        var result: [String: QualityOverride] = [:]
        for entry in value.anyMapping()?.entries ?? [] {
            guard MetricName.isAcceptable(entry.key) else {
                let nearest = MetricName.nearest(to: entry.key)
                entry.keyValue.report(
                    "'\(entry.key)' is no metric name" + (nearest.map { "; did you mean '\($0)'?" } ?? ""),
                    zh: "“\(entry.key)”不是要素名" + (nearest.map { "；是否为“\($0)”？" } ?? "")
                )
                continue
            }
            var override = QualityOverride()
            if self.isOff(entry.value) {
                override.isOff = true
            } else if let map = entry.value.mapping(keys: self.siteTests.map(\.description)) {
                var reader = Reader(metric: entry.key, unit: Unit(ofMetric: entry.key))
                for test in self.siteTests {
                    guard let value = map[test.description] else { continue }
                    override.tests.insert(test)
                    if !self.isOff(value) { reader.read(test, value, site: site) }
                }
                override.parameters = reader.parameters
                references += reader.references
            }
            result[entry.key] = override
        }
        return result
    }

    private static func isOff(_ value: YAMLValue) -> Bool {
        // YAML 1.1 reads a bare `off` as false; the text is the same.
        value.isScalar && value.string == "off"
    }
}

/// Reads the tests of one metric in a unit.
private struct Reader {
    let metric: String
    let unit: Unit
    var parameters = QualityParameters()
    /// The other sites that were named.
    var references: [(id: String, place: YAMLValue)] = []

    mutating func read(_ test: QualityTest, _ value: YAMLValue, site: String = "") {
        switch test {
        case .sender: break
        case .grossRange: self.parameters.grossRange = self.range(value, keys: ["min", "max"])
        case .climatology: self.readClimatology(value)
        case .rateOfChange: self.readRate(value)
        case .spike: self.parameters.spike = self.difference(value, "spike")
        case .flatLine: self.readFlatLine(value)
        case .gap: self.parameters.gap = value.span
        case .neighbour: self.readNeighbours(value, site)
        case .identical: self.readIdentical(value, site)
        }
    }

    /// `{ min:, max: }`, one of which may be left out.
    private func range(_ value: YAMLValue, keys: [String]) -> ClosedRange<Double>? {
        guard let map = value.mapping(keys: keys) else { return nil }
        let physical = MetricName.physicalRange(of: self.metric)
        if map["min"] == nil, map["max"] == nil {
            value.report("give 'min', 'max' or both: what is outside is suspect", zh: "请填 min、max 或两者：超出者为可疑")
            return nil
        }
        func bound(_ key: String, _ otherwise: Double) -> Double {
            guard let value = map[key], let number = value.double else { return otherwise }
            let canonical = self.unit.toCanonical(number)
            let slack = 1e-9 * max(1, abs(physical.lowerBound), abs(physical.upperBound))
            guard canonical >= physical.lowerBound - slack, canonical <= physical.upperBound + slack else {
                value.report(
                    "\(key) \(number) \(self.unit.symbol) is not physically possible for \(self.metric); possible is "
                        + "\(physical.lowerBound) to \(physical.upperBound) \(Unit(ofMetric: self.metric).symbol)",
                    zh: "\(key) \(number) \(self.unit.symbol) 超出 \(self.metric) 的物理范围：\(physical.lowerBound) 至 "
                        + "\(physical.upperBound) \(Unit(ofMetric: self.metric).symbol)"
                )
                return otherwise
            }
            return canonical
        }
        let (low, high) = (bound("min", physical.lowerBound), bound("max", physical.upperBound))
        guard low < high else {
            (map["min"] ?? map["max"] ?? value).report("min is not below max", zh: "min 应小于 max")
            return nil
        }
        return low...high
    }

    private mutating func readClimatology(_ value: YAMLValue) {
        var months = [ClosedRange<Double>?](repeating: nil, count: 12)
        for entry in value.list ?? [] {
            guard let map = entry.mapping(keys: ["months", "min", "max"]),
                let listed = map.required("months")?.list,
                let range = self.range(entry, keys: ["months", "min", "max"])
            else { continue }
            for item in listed {
                guard let month = item.int else { continue }
                guard (1...12).contains(month) else {
                    item.report("\(month) is no month; they are 1 to 12", zh: "\(month) 不是月份；应为 1 至 12")
                    continue
                }
                if months[month - 1] != nil {
                    item.report("month \(month) has a range already; each has one", zh: "\(month) 月已有范围；每月只能有一个")
                }
                months[month - 1] = range
            }
        }
        if months.contains(where: { $0 != nil }) { self.parameters.climatology = months }
    }

    private mutating func readRate(_ value: YAMLValue) {
        guard let map = value.mapping(keys: ["limit", "per", "confirm"]) else { return }
        let limit = map.required("limit").flatMap { self.difference($0, "limit") }
        let span = map.required("per")?.span
        let confirmation = map["confirm"].map { $0.span }
        guard let limit, let span else { return }
        self.parameters.rateOfChange = .init(limit: limit, span: span, confirmation: (confirmation ?? nil) ?? .hour)
    }

    private mutating func readFlatLine(_ value: YAMLValue) {
        guard let map = value.mapping(keys: ["for", "tolerance"]) else { return }
        let duration = map.required("for")?.span
        let tolerance = map["tolerance"]?.number(in: 0...1_000_000, "tolerance").map { $0 * abs(self.unit.factor) }
        guard let duration else { return }
        self.parameters.flatLine = .init(duration: duration, tolerance: tolerance ?? 0)
    }

    private mutating func readNeighbours(_ value: YAMLValue, _ site: String) {
        guard let map = value.mapping(keys: ["sites", "offsets", "tolerance", "age"]) else { return }
        let sites = self.sites(map, site)
        let offsets = map["offsets"]?.list?.compactMap(\.double)
        if let offsets, offsets.count != sites.count {
            map["offsets"]?
                .report(
                    "there are \(sites.count) sites, so give \(sites.count) offsets, not \(offsets.count)",
                    zh: "共 \(sites.count) 个站点，应有 \(sites.count) 个 offsets，现为 \(offsets.count) 个"
                )
        }
        let tolerance = map.required("tolerance").flatMap { self.difference($0, "tolerance") }
        let age = map["age"]?.span ?? .hour
        guard let tolerance, !sites.isEmpty else { return }
        let others = sites.enumerated()
            .map { place, site in
                QualityParameters.Neighbour(
                    site: site,
                    offset: offsets.flatMap { place < $0.count ? $0[place] : nil } ?? 0
                )
            }
        self.parameters.neighbours = .init(others: others, tolerance: tolerance, age: age)
    }

    private mutating func readIdentical(_ value: YAMLValue, _ site: String) {
        guard let map = value.mapping(keys: ["sites", "changes"]) else { return }
        let sites = self.sites(map, site)
        guard let place = map.required("changes"), let changes = place.int else { return }
        guard changes >= 3 else {
            place.report(
                "changes is \(changes); fewer than 3 equal changes in a row happen by chance",
                zh: "changes 为 \(changes)；应不小于 3，连续 1、2 次变化相同属偶然"
            )
            return
        }
        if !sites.isEmpty { self.parameters.identical = .init(sites: sites, changes: changes) }
    }

    private mutating func sites(_ map: YAMLMapping, _ site: String) -> [String] {
        guard let place = map.required("sites"), let list = place.list else { return [] }
        if list.isEmpty { place.report("name at least one other site", zh: "请至少列出一个其他站点") }
        var sites: [String] = []
        for item in list {
            guard let id = item.identifier else { continue }
            guard id != site else {
                item.report("'\(id)' is the site itself; name others", zh: "“\(id)”就是本站；请填其他站点")
                continue
            }
            sites.append(id)
            self.references.append((id, item))
        }
        return sites
    }

    /// A difference above 0, in the canonical unit.
    private func difference(_ value: YAMLValue, _ what: String) -> Double? {
        guard let number = value.double else { return nil }
        guard number > 0, number.isFinite else {
            value.report("\(what) is \(number); it must be above 0", zh: "\(what) 为 \(number)；应大于 0")
            return nil
        }
        return number * abs(self.unit.factor)
    }
}
