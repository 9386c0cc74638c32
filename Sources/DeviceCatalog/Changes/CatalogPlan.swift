// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What differs between the catalogue in force and one that is to take its place.
package struct CatalogPlan: Sendable {
    package enum Action: String, Sendable {
        case added = "+"
        case changed = "~"
        case removed = "-"
    }

    package struct Change: Hashable, Sendable {
        package let action: Action
        /// `model`, `site`, `threshold`, `area`, `device`.
        package let kind: String
        package let id: String
        /// For a change what was and what will be, else in a few words what it is.
        package let what: String
    }

    /// By kind, then by id.
    package private(set) var changes: [Change] = []

    package init(from old: Catalog, to new: Catalog) {
        self.compare("model", old.models, new.models, inWords: { $0.inWords }, facts: { $0.facts })
        self.compare(
            "site",
            old.sites,
            new.sites,
            inWords: { "\($0.kind.rawValue) \($0.name.zh)" },
            facts: { $0.facts }
        )
        self.compare("threshold", old.thresholds, new.thresholds, inWords: { $0 }, facts: { [("value", $0)] })
        self.compare("area", old.areas, new.areas, inWords: { $0.name.zh }, facts: { $0.facts })
        self.compare("device", old.devices, new.devices, inWords: { "\($0.model) at \($0.site)" }, facts: { $0.facts })
    }

    private mutating func compare<Thing: Equatable>(
        _ kind: String,
        _ old: [String: Thing],
        _ new: [String: Thing],
        inWords: (Thing) -> String,
        facts: (Thing) -> [(name: String, value: String)]
    ) {
        for id in Set(old.keys).union(new.keys).sorted() {
            switch (old[id], new[id]) {
            case (nil, let thing?):
                self.changes.append(Change(action: .added, kind: kind, id: id, what: inWords(thing)))
            case (let thing?, nil):
                self.changes.append(Change(action: .removed, kind: kind, id: id, what: inWords(thing)))
            case (let before?, let after?):
                let differences = zip(facts(before), facts(after)).filter { $0.value != $1.value }
                    .map { "\($0.name): \(Self.shown($0.value)) → \(Self.shown($1.value))" }
                guard !differences.isEmpty else { continue }
                let what = differences.joined(separator: "; ")
                self.changes.append(Change(action: .changed, kind: kind, id: id, what: what))
            case (nil, nil): break
            }
        }
    }

    private static func shown(_ text: String) -> String { text.isEmpty ? "–" : text }
}

extension Catalog {
    /// In words, by site, hazard, level, unit, window and first day.
    fileprivate var thresholds: [String: String] {
        var found: [String: String] = [:]
        for site in self.sites.values {
            for threshold in site.thresholds {
                let window = threshold.window.map { " in " + PrometheusDuration.text($0) } ?? ""
                let season = threshold.season.map { " from \($0.from) to \($0.to)" } ?? ""
                let unit = threshold.unit.symbol
                let id =
                    "\(site.id) \(threshold.hazard.rawValue) \(threshold.level.rawValue) \(unit)\(window)\(season) "
                    + "from \(threshold.validFrom.day)"
                let end = threshold.validTo.map { " until \($0.day)" } ?? ""
                found[id] =
                    "\(threshold.value) \(unit)\(end) (\(threshold.authority); \(threshold.source); \(threshold.confidence))"
                    + (threshold.name.isEmpty ? "" : " \(threshold.name)")
            }
        }
        return found
    }
}

private func text(_ number: Double?) -> String { number.map { "\($0)" } ?? "" }

private func text(_ schedule: ReportSchedule?) -> String {
    switch schedule {
    case .periodic(let interval)?: PrometheusDuration.text(interval)
    case .event(let heartbeat)?: "event, heartbeat \(PrometheusDuration.text(heartbeat))"
    case nil: ""
    }
}

extension DeviceModel {
    fileprivate var inWords: String { "\(self.channels.count + self.optionalChannels.count) channels" }

    fileprivate var facts: [(name: String, value: String)] {
        let channels = (self.channels + self.optionalChannels)
            .map { channel in
                "\(channel.metric)\(channel.labels) \(channel.key) \(channel.unit.symbol) \(text(channel.minimum))…"
                    + "\(text(channel.maximum)) \(text(channel.schedule))\(channel.addsZeroElevation ? " +zero" : "")"
            }
        return [
            ("channels", channels.joined(separator: ", ")), ("report", text(self.schedule)),
            ("hj212", "\(self.hj212)"),
        ]
    }
}

extension Site {
    fileprivate var facts: [(name: String, value: String)] {
        let position = self.position.map { "\($0.latitude) \($0.longitude) \($0.confidence)" } ?? ""
        let datum = self.datum.map { "\($0.name) \(text($0.offsetTo1985Meters))" } ?? ""
        let codes = self.codes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return [
            ("name", "\(self.name.zh) / \(self.name.en)"), ("kind", self.kind.rawValue), ("org", self.org),
            ("basin", self.basin), ("admin_code", self.adminCode), ("county", self.county), ("codes", codes),
            ("position", position), ("datum", datum), ("soil", text(self.soil?.fieldCapacityPercent)),
        ]
    }
}

extension Area {
    fileprivate var facts: [(name: String, value: String)] {
        [
            ("name", "\(self.name.zh) / \(self.name.en)"), ("org", self.org), ("admin_code", self.adminCode),
            ("sites", self.sites.joined(separator: ", ")), ("contacts", self.contacts.joined(separator: ", ")),
        ]
    }
}

extension Device {
    fileprivate var facts: [(name: String, value: String)] {
        let surveys = self.surveys.map { "\($0.zeroElevationMeters) from \($0.validFrom.day)" }
        return [
            ("name", self.name), ("model", self.model), ("site", self.site), ("interval", text(self.schedule)),
            ("address", self.address), ("zero_elevation_m", text(self.zeroElevationMeters)),
            ("mount_height_m", text(self.mountHeightMeters)), ("surveys", surveys.joined(separator: ", ")),
            ("test", "\(self.isTest)"), ("installed", self.installedAt?.day ?? ""),
        ]
    }
}
