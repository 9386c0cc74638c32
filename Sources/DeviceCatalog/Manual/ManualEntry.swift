// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A value that a person read off a staff, a gauge or a probe (人工置数), before it is checked.
///
/// Pure: catalogue, receive time and policy are given.
package struct ManualEntry: Hashable, Sendable {
    package var site: String
    /// The metric in whose canonical unit the value is.
    package var metric: String
    package var value: Double
    /// When it was read, or for depths of rain when the interval ended.
    package var time: Timestamp
    /// `depth`, `position` and `sensor` of the series, where it has them.
    package var labels: [String: String]
    /// Takes a value that the channel's device could not report: floods go beyond what instruments are made for.
    package var isBeyondRange: Bool

    /// The labels that tell series of one metric at a site apart.
    package static let labelNames = ["depth", "position", "sensor"]
    private static let accumulatedRain = RainCounter.metric

    package init(
        site: String,
        metric: String,
        value: Double,
        time: Timestamp,
        labels: [String: String] = [:],
        isBeyondRange: Bool = false
    ) {
        self.site = site
        self.metric = metric
        self.value = value
        self.time = time
        self.labels = labels
        self.isBeyondRange = isBeyondRange
    }

    /// The sample that it becomes: of the method `manual`, quality 2.
    ///
    /// - Throws: ``ManualEntryError`` with everything that is wrong.
    package func resolved(
        in catalog: Catalog,
        policy: IngestPolicy,
        receivedAt: Timestamp
    ) throws(ManualEntryError) -> ResolvedReading {
        var error = ManualEntryError()
        if catalog.sites[self.site] == nil {
            error.add(
                "site",
                "there is no site '\(self.site)'; `poyang sites list` shows all",
                "没有站点“\(self.site)”；用 poyang sites list 查看全部站点"
            )
        }
        self.checkMetric(&error)
        self.checkTime(policy, receivedAt, &error)
        let series = self.series
        if error.problems.isEmpty { self.checkLabels(catalog, series, &error) }
        if error.problems.isEmpty { self.checkValue(catalog, series, &error) }
        guard error.problems.isEmpty else { throw error }
        return ResolvedReading(
            series: catalog.keys.key(for: series),
            sample: Sample(
                time: self.time,
                value: self.value,
                mark: SampleMark(quality: .notEvaluated, method: .manual)
            ),
            hasOwnTime: true
        )
    }

    /// The stored labels of its series.
    package var series: Labels {
        var series = Labels(metric: self.metric, ["site": self.site])
        for name in Self.labelNames { if let value = self.labels[name] { series[name] = value } }
        return series
    }

    private func checkMetric(_ error: inout ManualEntryError) {
        if self.metric == Self.accumulatedRain {
            error.add(
                "metric",
                "a counter's total is its device's own; enter \(RainCounter.depthMetric), the depth that fell in the "
                    + "interval which ends at the time",
                "累计雨量只由设备上报；请填 \(RainCounter.depthMetric)，即截至该时刻的时段雨量"
            )
        } else if !MetricName.isAcceptable(self.metric) {
            let nearest = MetricName.nearest(to: self.metric)
            error.add(
                "metric",
                "'\(self.metric)' is no metric; names end with their unit, like water_level_meters"
                    + (nearest.map { "; did you mean '\($0)'?" } ?? ""),
                "“\(self.metric)”不是要素名；要素名以单位结尾，如 water_level_meters" + (nearest.map { "；是否为“\($0)”？" } ?? "")
            )
        }
    }

    private func checkTime(_ policy: IngestPolicy, _ receivedAt: Timestamp, _ error: inout ManualEntryError) {
        if self.time < CatalogResolver.earliestTime || self.time > CatalogResolver.latestTime {
            error.add(
                "at",
                "the time \(self.time) is not between 2000 and 9999; write it like 2026-07-08T08:00",
                "时间 \(self.time) 不在 2000 至 9999 年之间；请写成 2026-07-08T08:00"
            )
        } else if !policy.isOwnClockSuspect, self.time > receivedAt + policy.skew {
            error.add(
                "at",
                "the time \(self.time) has not come yet (it is \(receivedAt)); give the time of the reading",
                "时间 \(self.time) 尚未到（现在是 \(receivedAt)）；请填读数的时刻"
            )
        }
    }

    /// A site with several series of the metric is asked which one is meant.
    private func checkLabels(_ catalog: Catalog, _ series: Labels, _ error: inout ManualEntryError) {
        for name in self.labels.keys.sorted() where !Self.labelNames.contains(name) || self.labels[name] == "" {
            let known = Self.labelNames.joined(separator: ", ")
            error.add(
                "labels",
                "'\(name)' is no label of a reading, or has no value; there are \(known), as in depth=20cm",
                "“\(name)”不是读数的标签，或没有值；可用 \(known)，如 depth=20cm"
            )
        }
        let known = catalog.registeredChannels(at: self.site).map(\.series.labels).filter { $0.metric == self.metric }
        guard !known.isEmpty, !known.contains(series) else { return }
        let choices = known.map { $0.removing([Labels.metricName, "site"]).inWords }
        let listed = choices.map { $0.isEmpty ? "no label / 无标签" : $0 }.joined(separator: "; ")
        error.add(
            "labels",
            "site '\(self.site)' has \(self.metric) with: \(listed); say which is meant",
            "站点“\(self.site)”的 \(self.metric) 有：\(listed)；请指明是哪一个"
        )
    }

    private func checkValue(_ catalog: Catalog, _ series: Labels, _ error: inout ManualEntryError) {
        let symbol = Unit(ofMetric: self.metric).symbol
        let unit = symbol.isEmpty ? "" : " " + symbol
        let physical = MetricName.physicalRange(of: self.metric)
        guard self.value.isFinite, physical.contains(self.value) else {
            let range = "\(physical.lowerBound) … \(physical.upperBound)\(unit)"
            error.add(
                "value",
                "\(self.value)\(unit) is not possible for \(self.metric); it is within \(range)",
                "\(self.metric) 不可能为 \(self.value)\(unit)；应在 \(range) 之内"
            )
            return
        }
        guard !self.isBeyondRange, let range = catalog.range(of: series), !range.contains(self.value) else { return }
        let text = "\(range.lowerBound) … \(range.upperBound)\(unit)"
        error.add(
            "value",
            "\(self.value)\(unit) is beyond what the device here can report (\(text)); correct it, or say that it is "
                + "right (--force, \"force\": true)",
            "\(self.value)\(unit) 超出本站设备的量程（\(text)）；请更正，或确认无误（--force，\"force\": true）"
        )
    }
}

/// Why a manual reading is refused: everything that is wrong with it.
package struct ManualEntryError: Error, Hashable, Sendable {
    package struct Problem: Hashable, Sendable {
        /// As in the request: `site`, `metric`, `value`, `at`, `labels`, `by`.
        package let field: String
        /// What is wrong and what would be right.
        package let message: LocalizedName
    }

    package private(set) var problems: [Problem] = []

    package init() {}

    package mutating func add(_ field: String, _ en: String, _ zh: String) {
        self.problems.append(Problem(field: field, message: LocalizedName(zh: zh, en: en)))
    }

    /// All problems with their fields, in both languages.
    package var text: LocalizedName {
        LocalizedName(
            zh: self.problems.map { "\($0.field)：\($0.message.zh)" }.joined(separator: "；"),
            en: self.problems.map { "\($0.field): \($0.message.en)" }.joined(separator: "; ")
        )
    }
}

extension Labels {
    /// Such as `depth=20cm,position=A`.
    fileprivate var inWords: String { self.map { "\($0.name)=\($0.value)" }.joined(separator: ",") }
}

extension Catalog {
    /// What the devices at a site can report for a series, in its canonical unit; nil where no model says so.
    fileprivate func range(of series: Labels) -> ClosedRange<Double>? {
        var found: ClosedRange<Double>?
        for plan in self.entries[series.site]?.plans ?? [] {
            for channel in plan.channels where channel.series.labels == series {
                let low = channel.canonical(channel.minimum, at: .distantFuture)
                let high = channel.canonical(channel.maximum, at: .distantFuture)
                guard low <= high else { continue }
                found = found.map { min($0.lowerBound, low)...max($0.upperBound, high) } ?? low...high
            }
        }
        return found
    }
}
