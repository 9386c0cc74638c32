// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import StrictYAML
import Telemetry

extension RecordingMap {
    /// Reads a map file.
    ///
    /// - Throws: `ProblemList` with the place of everything that is wrong.
    init(yaml text: String, file: String) throws {
        let problems = ProblemCollector()
        let root = YAMLValue.parse(text, file: file, problems: problems)
        let map = root?.mapping(keys: ["time", "columns", "where", "from", "to", "interpolate"])
        let time = map?.required("time")?.mapping(keys: ["column", "zone", "format"])
        let zone = time?["zone"]?.zone ?? .gmt
        let format = time?["format"]?.timeFormat ?? .rfc3339
        self.init(timeColumns: time?.timeColumns ?? [], zone: zone, format: format, columns: map?.recordedColumns ?? [])
        for entry in map?["where"]?.anyMapping()?.entries ?? [] {
            if let value = entry.value.string { self.filters.append(Filter(column: entry.key, value: value)) }
        }
        if let from = map?["from"]?.bound(in: zone, isEnd: false) { self.from = from }
        if let end = map?["to"]?.bound(in: zone, isEnd: true) { self.end = end }
        self.interpolation = map?["interpolate"]?.interpolation(defaultZone: zone)
        try problems.throwIfAny()
    }
}

extension YAMLMapping {
    /// `column: name`, or `column: [date, time]`.
    fileprivate var timeColumns: [String] {
        guard let value = self.required("column") else { return [] }
        if value.isList { return value.list?.compactMap(\.string) ?? [] }
        return value.string.map { [$0] } ?? []
    }

    fileprivate var recordedColumns: [RecordingMap.Column] {
        guard let columns = self.required("columns")?.anyMapping() else { return [] }
        if columns.entries.isEmpty { columns.value.report("no column is mapped; name at least one") }
        return columns.entries.compactMap { entry in
            let keys = ["device", "key", "method", "metric", "labels", "factor"]
            guard let map = entry.value.mapping(keys: keys), let target = map.recordedTarget else { return nil }
            let method = map["method"]?.mapping(keys: ["column"])?.required("column")?.string
            return RecordingMap.Column(name: entry.key, target: target, methodColumn: method)
        }
    }

    private var recordedTarget: RecordingMap.Target? {
        if let metric = self["metric"]?.string {
            if self["device"] != nil { self.value.report("a column has either device and key, or metric and labels") }
            var labels: [String: String] = [:]
            for entry in self["labels"]?.anyMapping()?.entries ?? [] { labels[entry.key] = entry.value.string }
            return .series(metric: metric, labels: labels, factor: self["factor"]?.double ?? 1)
        }
        guard let device = self.required("device")?.string, let key = self.required("key")?.string else { return nil }
        for name in ["labels", "factor"] where self[name] != nil {
            self[name]?.report("'\(name)' goes with 'metric'; a device's model converts its units")
        }
        return .channel(device: device, key: key)
    }
}

extension YAMLValue {
    fileprivate var zone: TimeZone? {
        guard let name = self.string else { return nil }
        if let zone = TimeZone(namedOrOffset: name) { return zone }
        self.report("'\(name)' is no time zone; write UTC, an IANA name (America/Chicago) or an offset (+08:00)")
        return nil
    }

    fileprivate var timeFormat: TimeFormat? {
        guard let text = self.string else { return nil }
        if let format = TimeFormat(text) { return format }
        self.report("'\(text)' is no time format; write rfc3339, unix, unix_ms or a pattern like 'yyyy-MM-dd HH:mm:ss'")
        return nil
    }

    /// A date (its whole day counts) or a date-time (itself counts); without a zone in the map's.
    ///
    /// - Returns: As a first moment, or as the first moment after.
    fileprivate func bound(in zone: TimeZone, isEnd: Bool) -> Timestamp? {
        guard let text = self.string else { return nil }
        let isDate = text.utf8.count == 10
        let after: Milliseconds = isEnd ? 1 : 0
        if let moment = Timestamp(rfc3339: text) { return moment + after }
        var reader = LocalTimeReader(zone: zone, format: .rfc3339)
        guard let moment = try? reader.read(text) else {
            self.report("'\(text)' is no date and no RFC 3339 time")
            return nil
        }
        return isDate && isEnd ? moment + .day : moment + after
    }

    fileprivate func interpolation(defaultZone: TimeZone) -> RecordingMap.Interpolation? {
        guard let map = self.mapping(keys: ["every", "at", "zone"]) else { return nil }
        guard let everyValue = map.required("every"), let everyText = everyValue.string else { return nil }
        guard let every = PrometheusDuration.parse(everyText), every > 0, Milliseconds.day % every == 0 else {
            everyValue.report("'\(everyText)' does not divide a day; write 1d, 6h, 1h, 15m …")
            return nil
        }
        var at: Milliseconds = 0
        if let value = map["at"], let text = value.string {
            guard let time = Timestamp(rfc3339: "1970-01-01T\(text)Z") else {
                value.report("'\(text)' is no time of day; write \"08:00\" in quotes")
                return nil
            }
            at = time.milliseconds
        }
        return RecordingMap.Interpolation(every: every, at: at, zone: map["zone"]?.zone ?? defaultZone)
    }
}

extension TimeZone {
    /// An IANA name, `UTC`, `Z`, or an offset as RFC 3339 writes it.
    init?(namedOrOffset name: String) {
        if name == "UTC" || name == "Z" {
            self = .gmt
        } else if let moment = Timestamp(rfc3339: "1970-01-02T00:00:00\(name)") {
            guard let zone = TimeZone(secondsFromGMT: Int((.day - moment.milliseconds) / .second)) else { return nil }
            self = zone
        } else {
            self.init(identifier: name)
        }
    }
}
