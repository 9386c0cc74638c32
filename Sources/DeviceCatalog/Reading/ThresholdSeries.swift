// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The virtual series of one hazard and level at a site: at T it has the value in force at T.
///
/// What the soil of a site holds is one of them, too, without hazard and level.
final class ThresholdSeries: Sendable {
    static let namePrefix = "site_threshold"
    static let fieldCapacityName = "site_field_capacity_percent"

    /// `site_threshold_meters`: one name per unit.
    let metric: String
    /// Name, site, hazard, level, window where it has one, and the site's virtual labels.
    let labels: Labels
    let hazard: String
    let level: String
    private let thresholds: [Threshold]
    /// Where no threshold has a season.
    private let fixed: StepFunction?
    /// What an extent inside one validity shows, by the spans of `fixed`: an instant query reads it as it lies here.
    private let prepared: [SeriesColumns]

    static func name(of unit: Unit) -> String {
        unit.suffix.isEmpty ? self.namePrefix : self.namePrefix + "_" + unit.suffix
    }

    /// Whether a metric name is one of these, whatever the unit.
    static func isName(_ metric: String) -> Bool {
        metric.utf8.starts(with: self.namePrefix.utf8) || metric == self.fieldCapacityName
    }

    static func all(of site: Site) -> [ThresholdSeries] {
        let groups = Dictionary(grouping: site.thresholds) { threshold in
            [threshold.hazard.rawValue, threshold.level.rawValue, threshold.unit.suffix, threshold.windowText]
        }
        let series = groups.values.compactMap { ThresholdSeries(site: site, thresholds: $0) }
        return (series + (site.soil.map { [ThresholdSeries(site: site, soil: $0)] } ?? []))
            .sorted { $0.labels < $1.labels }
    }

    private convenience init?(site: Site, thresholds: [Threshold]) {
        guard let first = thresholds.first else { return nil }
        let metric = ThresholdSeries.name(of: first.unit)
        let sorted = thresholds.sorted { $0.validFrom < $1.validFrom }
        let isSeasonal = thresholds.contains { $0.season != nil }
        self.init(
            metric: metric,
            labels: site.virtualLabels.merging([
                Labels.metricName: metric, "site": site.id, "hazard": first.hazard.rawValue,
                "level": first.level.rawValue, "window": first.windowText,
            ]),
            thresholds: sorted,
            fixed: isSeasonal ? nil : StepFunction(spans: sorted.map(\.validity))
        )
    }

    private convenience init(site: Site, soil: Soil) {
        let metric = ThresholdSeries.fieldCapacityName
        let always = StepFunction.Span(
            start: CatalogResolver.earliestTime,
            end: .distantFuture,
            value: soil.fieldCapacityPercent
        )
        self.init(
            metric: metric,
            labels: site.virtualLabels.merging([Labels.metricName: metric, "site": site.id]),
            thresholds: [],
            fixed: StepFunction(spans: [always])
        )
    }

    private init(metric: String, labels: Labels, thresholds: [Threshold], fixed: StepFunction?) {
        self.metric = metric
        self.labels = labels
        self.hazard = labels["hazard"]
        self.level = labels["level"]
        self.thresholds = thresholds
        self.fixed = fixed
        self.prepared = (fixed?.spans ?? [])
            .compactMap { span in
                fixed?.columns(.lookback(from: span.start, through: span.start), labels: labels)
            }
    }

    func columns(_ extent: SelectExtent) -> SeriesColumns? {
        guard let fixed = self.fixed else {
            return self.seasonal(from: extent.start, through: extent.through).columns(extent, labels: self.labels)
        }
        if case .lookback(let from, let through) = extent {
            for (index, span) in fixed.spans.enumerated() where span.start <= from && through < span.end {
                return self.prepared[index]
            }
        }
        return fixed.columns(extent, labels: self.labels)
    }

    /// The spans in force from the season before `from` to two seasons after `through`.
    private func seasonal(from: Timestamp, through: Timestamp) -> StepFunction {
        var spans: [StepFunction.Span] = []
        for threshold in self.thresholds {
            guard let season = threshold.season else {
                spans.append(threshold.validity)
                continue
            }
            let whole = threshold.validity
            let first = max(from, whole.start)
            guard first < whole.end else { continue }
            let last = max(min(through, whole.end), first)
            let firstYear = CivilTime(first, offsetMinutes: Timestamp.chinaOffsetMinutes).year - 1
            let lastYear = CivilTime(last, offsetMinutes: Timestamp.chinaOffsetMinutes).year + 2
            for year in firstYear...lastYear {
                let span = season.span(beginningIn: year)
                let start = max(span.start, whole.start)
                let end = min(span.end, whole.end)
                if start < end { spans.append(StepFunction.Span(start: start, end: end, value: threshold.value)) }
            }
        }
        return StepFunction(spans: spans.sorted { $0.start < $1.start })
    }
}

extension SelectExtent {
    /// The oldest moment at which a value is asked for, or the one before it.
    var start: Timestamp {
        switch self {
        case .window(let after, _): after
        case .lookback(let from, _): from
        }
    }
}

extension Threshold {
    /// As a label: `1h`, `1d`; empty where it has no window.
    fileprivate var windowText: String { self.window.map(PrometheusDuration.text) ?? "" }

    /// Its dates, without the season.
    fileprivate var validity: StepFunction.Span {
        StepFunction.Span(start: self.validFrom, end: self.validTo ?? .distantFuture, value: self.value)
    }
}
