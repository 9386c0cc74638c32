// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
package import Telemetry

/// What a CSV file of thresholds would change; nothing is changed by making it.
///
/// Columns: `site_id hazard level value valid_from authority source confidence` are required, `name unit datum window
/// valid_to season_from season_to` optional; cells are as in a site's file. A row of the same hazard, level, unit, window,
/// season and first day as a threshold that is there puts that one right; one of a later day ends it on that day, and
/// that end stays where the earlier row comes again without one.
package struct ThresholdImport: Sendable {
    package typealias Row = DeviceImport.Row
    private typealias CellProblem = DeviceImport.CellProblem

    /// The column `device` of the rows holds the site.
    package private(set) var rows: [Row] = []
    /// What each row does, in words; by place in ``rows``.
    package private(set) var differences: [String] = []
    /// Sites to be registered anew, from rows without an error.
    package private(set) var sites: [Site] = []
    /// The rows without an error, by site.
    private var taken: [String: [(threshold: Threshold, line: Int)]] = [:]

    private static let required = [
        "site_id", "hazard", "level", "value", "valid_from", "authority", "source", "confidence",
    ]
    /// Scalars; authorities and sources are sentences.
    private static let longestCell = 1000
    private static let optional = ["name", "unit", "datum", "window", "valid_to", "season_from", "season_to"]

    package init(csv text: String, catalog: Catalog) { self.init(csv: Array(text.utf8), catalog: catalog) }

    package init(csv bytes: [UInt8], catalog: Catalog) {
        let records: [CSVRecords.Record]
        do {
            records = try CSVRecords(file: bytes).records
        } catch {
            self.add(line: error.line, site: "", problems: [CellProblem("", error.message)])
            return
        }
        guard let header = records.first else {
            self.add(line: 1, site: "", problems: [.emptyFile])
            return
        }
        let columns = header.fields.map(\.columnName)
        let problems = CellProblem.header(columns, required: Self.required, optional: Self.optional)
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
            var cells = Dictionary(pairs) { first, _ in first }
            let long = CellProblem.shorten(&cells, to: Self.longestCell)
            let id = cells["site_id"] ?? ""
            guard long.isEmpty else {
                self.add(line: record.line, site: id, problems: long)
                continue
            }
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
        let (read, problems) = Self.read(cells, site: site)
        var found = problems
        if let read, let other = self.taken[site.id]?.first(where: { $0.threshold.isAnother(of: read) }) {
            found.append(.saidOtherwise(on: other.line, other.threshold))
        }
        guard var threshold = read, found.isEmpty else {
            self.add(line: line, site: site.id, problems: found)
            return nil
        }
        let row = (threshold: threshold, line: line)
        var thresholds = site.thresholds
        // Ended by the one that came after it, and no less so where the row says no end.
        if threshold.validTo == nil, let old = thresholds.first(where: { $0.isSameSpan(as: threshold) }),
            thresholds.contains(where: { $0.isSame(as: old) && $0.validFrom == old.validTo })
        {
            threshold.validTo = old.validTo
        }
        var difference = "+ \(threshold.inWords)"
        var verdict = DeviceImport.Verdict.created
        if let index = thresholds.firstIndex(where: { $0.isSameSpan(as: threshold) }) {
            guard thresholds[index] != threshold else {
                let isTaken = self.taken[site.id]?.contains { $0.threshold.isSameSpan(as: threshold) } ?? false
                if !isTaken { self.taken[site.id, default: []].append(row) }
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
        self.taken[site.id, default: []].append(row)
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
        var unknown: [CellProblem] = []
        if let hazard = cells["hazard"], !Hazard.allCases.contains(Hazard(rawValue: hazard)) {
            unknown.append(.noHazard(hazard))
        }
        let collector = ProblemCollector()
        let value = YAMLValue.parse(text, file: "row", problems: collector)
        let threshold = value.flatMap { ThresholdList.threshold($0, site: site) }
        let problems =
            unknown
            + collector.problems.map { problem in
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

extension DeviceImport.CellProblem {
    /// Two rows of one threshold.
    fileprivate static func saidOtherwise(on line: Int, _ threshold: Threshold) -> Self {
        Self(
            "value",
            "line \(line) has the same threshold otherwise: \(threshold.inWords); keep one of the two rows",
            "第 \(line) 行对同一阈值另有规定：\(threshold.inWords)；请只保留一行"
        )
    }

    /// Hazards of somebody's own rules are declared in files, whose author knows the rules.
    fileprivate static func noHazard(_ text: String) -> Self {
        let names = Hazard.allCases.map(\.rawValue)
        let known = names.joined(separator: ", ")
        let nearest = Spelling.nearest(to: text, among: names)
        return Self(
            "hazard",
            "there is no hazard '\(text)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
                + "; it is one of \(known)",
            "没有灾害类别“\(text)”" + (nearest.map { "；是否为“\($0)”？" } ?? "") + "；可选：\(known)"
        )
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

    /// Whether both are, besides, of the same first day.
    fileprivate func isSameSpan(as other: Threshold) -> Bool {
        self.isSame(as: other) && self.validFrom == other.validFrom
    }

    /// Whether one of the two contradicts the other.
    fileprivate func isAnother(of other: Threshold) -> Bool { self.isSameSpan(as: other) && self != other }

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
