// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
package import Telemetry

/// What a CSV file of thresholds would change; nothing is changed by making it.
///
/// Columns: `site_id hazard level value valid_from authority source confidence` are required, `name unit datum window
/// valid_to season_from season_to` optional; cells are as in a site's file. A row of the same hazard, level, unit, window,
/// season and first day as a threshold that is there puts that one right; one of a later day ends it on that day.
package struct ThresholdImport: Sendable {
    package typealias Row = DeviceImport.Row
    private typealias CellProblem = DeviceImport.CellProblem

    /// The column `device` of the rows holds the site.
    package private(set) var rows: [Row] = []
    /// What each row does, in words; by place in ``rows``.
    package private(set) var differences: [String] = []
    /// Sites to be registered anew, from rows without an error.
    package private(set) var sites: [Site] = []

    private static let required = [
        "site_id", "hazard", "level", "value", "valid_from", "authority", "source", "confidence",
    ]
    private static let optional = ["name", "unit", "datum", "window", "valid_to", "season_from", "season_to"]

    package init(csv text: String, catalog: Catalog) {
        let records: [CSVRecords.Record]
        do {
            records = try CSVRecords(text, delimiter: ",").records
        } catch {
            self.add(line: error.line, site: "", problems: [CellProblem("", error.message)])
            return
        }
        guard let header = records.first else {
            self.add(line: 1, site: "", problems: [.emptyFile])
            return
        }
        let columns = header.fields.map { $0.trimmed.lowercased() }
        let problems =
            CellProblem.twiceNamed(columns)
            + CellProblem.columns(columns, required: Self.required, optional: Self.optional)
        guard problems.isEmpty else {
            self.add(line: header.line, site: "", problems: problems)
            return
        }
        var changed: [String: Site] = [:]
        var order: [String] = []
        for record in records.dropFirst() {
            guard record.fields.count == columns.count else {
                let problem = CellProblem.fields(record.fields.count, header: columns.count)
                self.add(line: record.line, site: "", problems: [problem])
                continue
            }
            let pairs = zip(columns, record.fields.map(\.trimmed)).filter { !$0.1.isEmpty }
            let cells = Dictionary(pairs) { first, _ in first }
            let id = cells["site_id"] ?? ""
            guard let site = changed[id] ?? catalog.sites[id] else {
                self.add(line: record.line, site: id, problems: [.noSite(id)])
                continue
            }
            guard !catalog.fileSites.contains(id) else {
                let problem = CellProblem(
                    "site_id",
                    "site '\(id)' is declared in a file under Devices/; write its thresholds there",
                    "站点“\(id)”由 Devices/ 下的文件定义；请在文件中填写阈值"
                )
                self.add(line: record.line, site: id, problems: [problem])
                continue
            }
            if let new = self.judge(cells, line: record.line, site: site) {
                if changed.updateValue(new, forKey: id) == nil { order.append(id) }
            }
        }
        self.sites = order.compactMap { changed[$0] }
    }

    /// - Returns: The site with the row's threshold; nil where nothing changes or something is wrong.
    private mutating func judge(_ cells: [String: String], line: Int, site: Site) -> Site? {
        let (threshold, found) = Self.read(cells, site: site)
        guard let threshold, found.isEmpty else {
            self.add(line: line, site: site.id, problems: found)
            return nil
        }
        var thresholds = site.thresholds
        var difference = "+ \(threshold.inWords)"
        var verdict = DeviceImport.Verdict.created
        if let index = thresholds.firstIndex(where: { $0.isSame(as: threshold) && $0.validFrom == threshold.validFrom })
        {
            guard thresholds[index] != threshold else {
                self.add(line: line, site: site.id, verdict: .unchanged, difference: "")
                return nil
            }
            difference = "~ \(thresholds[index].inWords) → \(threshold.inWords)"
            verdict = .changed
            thresholds[index] = threshold
        } else {
            // The one in force until now ends where the new one begins.
            for index in thresholds.indices
            where thresholds[index].isSame(as: threshold) && thresholds[index].validFrom < threshold.validFrom
                && thresholds[index].validTo.map({ $0 > threshold.validFrom }) ?? true
            {
                difference += "; ends \(thresholds[index].inWords)"
                thresholds[index].validTo = threshold.validFrom
            }
            thresholds.append(threshold)
        }
        let conflicts = thresholds.filter { $0 != threshold }
            .compactMap { ThresholdList.conflict($0, threshold, line: nil) }
        guard conflicts.isEmpty else {
            self.add(line: line, site: site.id, problems: conflicts.map { CellProblem("value", $0) })
            return nil
        }
        self.add(line: line, site: site.id, verdict: verdict, difference: difference)
        var site = site
        site.thresholds = thresholds
        return site
    }

    /// Reads a row as the list entry of a site's file that it could be, so that both are checked alike.
    private static func read(
        _ cells: [String: String],
        site: Site
    ) -> (threshold: Threshold?, problems: [CellProblem]) {
        var text = "{"
        var starts: [(column: Int, field: String)] = []
        func add(_ key: String, _ value: String, field: String) {
            starts.append((text.unicodeScalars.count + 1, field))
            text += "\(key): \(value), "
        }
        for name in self.required + self.optional {
            guard let cell = cells[name], !["site_id", "season_from", "season_to"].contains(name) else { continue }
            add(name, name == "value" && Double(cell) != nil ? cell : quoted(cell), field: name)
        }
        if cells["season_from"] != nil || cells["season_to"] != nil {
            let season = [("from", cells["season_from"]), ("to", cells["season_to"])]
                .compactMap { key, cell in cell.map { "\(key): \(quoted($0))" } }
            add("season", "{ \(season.joined(separator: ", ")) }", field: "season_from")
        }
        text += "}"
        let collector = ProblemCollector()
        let value = YAMLValue.parse(text, file: "row", problems: collector)
        let threshold = value.flatMap { ThresholdList.threshold($0, site: site) }
        let problems = collector.problems.map { problem in
            CellProblem(
                starts.last { $0.column <= problem.column && problem.column > 1 }?.field ?? "",
                problem.message,
                problem.messageZh ?? problem.message
            )
        }
        if threshold == nil, problems.isEmpty { return (nil, [CellProblem("", "the row cannot be read", "该行无法读取")]) }
        return (threshold, problems)
    }

    private mutating func add(line: Int, site: String, problems: [CellProblem]) {
        self.rows.append(Row(line: line, device: site, verdict: .error, changes: [], problems: problems))
        self.differences.append("")
    }

    private mutating func add(line: Int, site: String, verdict: DeviceImport.Verdict, difference: String) {
        self.rows.append(Row(line: line, device: site, verdict: verdict, changes: [], problems: []))
        self.differences.append(difference)
    }
}

/// In double quotes, as YAML and JSON write it.
private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{00}"..."\u{1F}", "\u{7F}": result += " "
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

extension Threshold {
    /// Whether both are the threshold of one hazard and level, for the same unit, window and season.
    fileprivate func isSame(as other: Threshold) -> Bool {
        self.hazard == other.hazard && self.level == other.level && self.unit == other.unit
            && self.window == other.window && self.season == other.season
    }

    /// Such as `flood blue 19.0 m from 2020-01-01 (水文局; 文 7; verified)`.
    fileprivate var inWords: String {
        let window = self.window.map { " in " + PrometheusDuration.text($0) } ?? ""
        let end = self.validTo.map { " until \($0.day)" } ?? ""
        let season = self.season.map { ", each year \($0.from) to \($0.to)" } ?? ""
        return
            "\(self.hazard.rawValue) \(self.level.rawValue) \(self.value) \(self.unit.symbol)\(window) from "
            + "\(self.validFrom.day)\(end)\(season) (\(self.authority); \(self.source); \(self.confidence))"
    }
}
