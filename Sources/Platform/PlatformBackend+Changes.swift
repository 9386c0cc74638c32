// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import EarlyWarning
package import HTTPAPI
import SeriesStorage
import StrictYAML
import Telemetry

extension Catalog {
    /// Takes over what devices that take any metric have sent so far.
    ///
    /// Asks for the series of their sites only: the others, a million perhaps, cost nothing.
    func adopt(storedIn store: SeriesStore) throws {
        for site in self.sitesOfAnyMetric {
            let matcher = LabelMatcher("site", equals: site)
            self.adopt(try store.reader.series(matching: [matcher], after: .distantPast, through: .distantFuture))
        }
    }
}

extension PlatformBackend {
    package func reload(dryRun: Bool) async throws -> ReloadReport {
        let (catalog, rules) = try self.refusingProblems { try self.configuration.load(keys: self.keys) }
        let plan = CatalogPlan(from: self.resolver.catalog, to: catalog)
        if !dryRun { try await self.adopt(catalog, rules: rules) }
        return ReloadReport(
            sites: catalog.sites.count,
            devices: catalog.devices.count,
            rules: rules.alerts.count,
            plan: plan.changes.map {
                ReloadReport.Change(action: $0.action.rawValue, kind: $0.kind, id: $0.id, what: $0.what)
            }
        )
    }

    package func importDevices(csv: [UInt8], dryRun: Bool, org: String?) async throws -> DeviceImportReport {
        let plan = DeviceImport(csv: csv, catalog: self.resolver.catalog)
        let sites = Dictionary(plan.sites.map { ($0.id, $0) }) { $1 }
        let devices = Dictionary(plan.devices.map { ($0.id, $0) }) { $1 }
        let accounts = try self.records.accountsForMany()
        let retired = try self.records.retiredDevices()
        let now = self.now()
        var registrations = CatalogRegistrations()
        var takenSites: Set<String> = []
        let rows = plan.rows.map { row in
            var problems = row.problems
            var notes = row.notes
            let device = devices[row.device]
            let site = device.flatMap { sites[$0.site] ?? self.site($0.site) }
            if let org, let site, site.org != org {
                problems.append(
                    DeviceImport.CellProblem(
                        "site_id",
                        "the site belongs to '\(site.org)'; your token registers for '\(org)' only",
                        "站点属于“\(site.org)”；您的令牌只能为“\(org)”登记"
                    )
                )
            }
            if accounts.contains(row.device), self.resolver.catalog.devices[row.device] == nil {
                problems.append(.accountForMany(row.device))
            }
            if let device, let old = retired[device.id] {
                if let new = self.successor(of: device.id, among: retired), new.site == device.site {
                    problems.append(.replaced(device.id, by: new.id, on: old.day))
                } else {
                    notes.append(.inUseAgain(since: old.day))
                }
            }
            if problems.isEmpty, var device {
                let before = self.resolver.catalog.devices[device.id]?.site ?? retired[device.id]?.device.site
                if let before, before != device.site { device.move = DeviceMove(from: before, at: now) }
                registrations.devices.append(device)
                if let new = sites[device.site], takenSites.insert(new.id).inserted {
                    registrations.sites.append(new)
                }
            }
            return DeviceImportReport.Row(
                row: row.line,
                device: row.device,
                verdict: problems.isEmpty ? row.verdict.rawValue : "error",
                problems: problems.map(\.text),
                notes: problems.isEmpty ? notes.map(\.text) : []
            )
        }
        if !dryRun, !registrations.sites.isEmpty || !registrations.devices.isEmpty {
            let adding = registrations
            let catalog = try self.refusingProblems { try self.configuration.catalog(keys: self.keys, adding: adding) }
            try self.records.register(adding, at: now)
            try await self.adopt(catalog, rules: nil)
        }
        return DeviceImportReport(rows: rows)
    }

    package func importThresholds(csv: [UInt8], dryRun: Bool, org: String?) async throws -> DeviceImportReport {
        let plan = ThresholdImport(csv: csv, catalog: self.resolver.catalog)
        let others = Set(plan.sites.filter { site in org.map { $0 != site.org } ?? false }.map(\.id))
        let rows = zip(plan.rows, plan.differences)
            .map { row, difference in
                var problems = row.problems
                if others.contains(row.device) { problems.append(.noSite(row.device)) }
                return DeviceImportReport.Row(
                    row: row.line,
                    device: row.device,
                    verdict: problems.isEmpty ? row.verdict.rawValue : "error",
                    problems: problems.map(\.text),
                    difference: problems.isEmpty && !difference.isEmpty ? difference : nil
                )
            }
        let sites = plan.sites.filter { !others.contains($0.id) }
        if !dryRun, !sites.isEmpty {
            let adding = CatalogRegistrations(sites: sites)
            let catalog = try self.refusingProblems { try self.configuration.catalog(keys: self.keys, adding: adding) }
            try self.records.register(adding, at: self.now())
            try await self.adopt(catalog, rules: nil)
        }
        return DeviceImportReport(rows: rows)
    }

    /// Puts a catalogue, and rules if given, in force between two batches.
    func adopt(_ catalog: Catalog, rules: RuleSet?) async throws {
        try catalog.adopt(storedIn: self.samples)
        self.resolver.replace(catalog: catalog)
        if let accounts { _ = try self.publishCredentials(accounts) }
        let now = self.now()
        try await self.processor.perform { core in try core.reconfigure(rules: rules, at: now) }
        // The attributes of sites, by which series are chosen, may be others now.
        self.bell.wantRetention()
        self.backfill?.want()
    }

    func refusingProblems<Value>(_ load: () throws -> Value) throws -> Value {
        do {
            return try load()
        } catch let error as ProblemList {
            throw APIProblem.unprocessable(error.description, zh: error.text(inChinese: true))
        }
    }
}
