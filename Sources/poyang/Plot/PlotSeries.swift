// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// One line of a chart.
struct PlotSeries: Equatable {
    struct Point: Equatable {
        var time: Timestamp
        /// Not a number where there is a gap.
        var value: Double
    }

    let labels: [String: String]
    /// Times rise.
    let points: [Point]

    /// The series of an answer of the query interface.
    static func all(of data: JSONValue) -> [PlotSeries] {
        data["result"].elements
            .map { series in
                var labels: [String: String] = [:]
                if case .object(let members) = series["metric"] { labels = members.mapValues(\.cellText) }
                let points = series["values"].isNull ? [series["value"]] : series["values"].elements
                return PlotSeries(labels: labels, points: points.compactMap(Point.init))
            }
    }

    /// The median distance between the samples of the series; 0 where none has two.
    static func usualDistance(_ series: [PlotSeries]) -> Milliseconds {
        let distances = series.flatMap { line in zip(line.points, line.points.dropFirst()).map { $1.time - $0.time } }
        return distances.isEmpty ? 0 : distances.sorted()[distances.count / 2]
    }

    var lastValue: Double? { self.points.last { $0.value.isFinite }?.value }
}

extension PlotSeries.Point {
    /// `[seconds, "value"]`.
    init?(_ point: JSONValue) {
        let parts = point.elements
        guard parts.count == 2, let seconds = parts[0].double, abs(seconds) < 1e12,
            let value = Double(parts[1].cellText)
        else { return nil }
        self.init(time: Timestamp(milliseconds: Int64((seconds * 1000).rounded())), value: value)
    }
}

/// What the lines of a chart are called: what all have in common once, what tells them apart at each.
struct PlotNames: Equatable {
    /// `water_level_meters{basin="poyang"}`; empty where nothing is common.
    private let common: [String: String]
    /// In the order of the series; `xingzi` where one label tells all apart, else `site=xingzi kind=lake`.
    let names: [String]

    /// Labels that people know series by, the better first.
    private static let known = ["site", "device", "instance", "sensor"]

    init(_ series: [PlotSeries]) {
        var common = series.first?.labels ?? [:]
        for other in series.dropFirst() { common = common.filter { other.labels[$0.key] == $0.value } }
        self.common = common
        let differing = Set(series.flatMap(\.labels.keys)).subtracting(common.keys)
            .sorted { ($0 == "__name__" ? "" : $0) < ($1 == "__name__" ? "" : $1) }
        let best = (Self.known + differing)
            .first { name in
                Set(series.compactMap { $0.labels[name] }).count == series.count
            }
        self.names = series.map { line in
            if series.count == 1 { return "" }
            if let best { return line.labels[best] ?? "" }
            let texts = differing.compactMap { name in
                line.labels[name].map { name == "__name__" ? $0 : "\(name)=\($0)" }
            }
            return texts.isEmpty ? "{}" : texts.joined(separator: " ")
        }
    }

    /// What all have in common, and the unit; without the labels where that is too wide.
    func title(unit: String, width: Int = .max) -> String {
        let suffix = unit.isEmpty ? "" : " (\(unit))"
        let whole = Self.selector(self.common) + suffix
        let short = Table.width(whole) <= width ? whole : (self.common["__name__"] ?? "") + suffix
        return short.hasPrefix(" ") ? String(short.dropFirst()) : short
    }

    private static func selector(_ labels: [String: String]) -> String {
        let conditions = labels.filter { $0.key != "__name__" }.sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value.jsonString)" }
        let name = labels["__name__"] ?? ""
        return conditions.isEmpty ? name : name + "{" + conditions.joined(separator: ",") + "}"
    }
}
