// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import EarlyWarning
package import HTTPAPI
import StrictYAML
package import Telemetry

extension PlatformBackend {
    package func reload() async throws -> ReloadReport {
        let (catalog, rules) = try self.refusingProblems { try self.configuration.load(keys: self.keys) }
        try await self.adopt(catalog, rules: rules)
        return ReloadReport(sites: catalog.sites.count, devices: catalog.devices.count, rules: rules.alerts.count)
    }

    package func importDevices(csv: String, dryRun: Bool, org: String?) async throws -> DeviceImportReport {
        let plan = DeviceCSV.plan(csv, catalog: self.resolver.catalog)
        var rows: [DeviceImportReport.Row] = []
        var registrations = CatalogRegistrations()
        for row in plan.rows {
            var problems = row.problems
            let owner = (row.newSite ?? self.site(row.device?.site ?? "")).map(\.org)
            if let org, let owner, owner != org {
                problems.append("the site belongs to '\(owner)'; your token registers for '\(org)' only")
            }
            if problems.isEmpty, row.verdict == .created || row.verdict == .changed {
                if let site = row.newSite { registrations.sites.append(site) }
                if let device = row.device { registrations.devices.append(device) }
            }
            rows.append(
                DeviceImportReport.Row(
                    row: row.line, device: row.id, verdict: problems.isEmpty ? row.verdict.rawValue : "error",
                    problems: problems))
        }
        if !dryRun, !registrations.sites.isEmpty || !registrations.devices.isEmpty {
            let adding = registrations
            let catalog = try self.refusingProblems { try self.configuration.catalog(keys: self.keys, adding: adding) }
            try self.records.register(adding, at: self.now())
            try await self.adopt(catalog, rules: nil)
        }
        return DeviceImportReport(rows: rows)
    }

    package func importSamples(lines: [UInt8], org: String?) async throws -> SampleImportReport {
        var imported = 0
        var errors: [SampleImportReport.LineError] = []
        for (index, line) in lines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }) else { continue }
            do {
                let series = try VictoriaMetricsLine(line)
                if let org, self.site(series.labels.site)?.org != org {
                    throw APIProblem(.forbidden, "the series belongs to no site of '\(org)'")
                }
                imported += try self.samples.importSeries(series.labels, series.samples)
            } catch let problem as APIProblem {
                errors.append(SampleImportReport.LineError(line: index + 1, message: problem.detail))
            } catch {
                errors.append(SampleImportReport.LineError(line: index + 1, message: "\(error)"))
            }
        }
        return SampleImportReport(imported: imported, errors: errors)
    }

    /// Puts a catalogue, and rules if given, in force between two batches.
    private func adopt(_ catalog: Catalog, rules: RuleSet?) async throws {
        catalog.adopt(try self.samples.reader.series(matching: [], after: .distantPast, through: .distantFuture))
        self.resolver.replace(catalog: catalog)
        let now = self.now()
        try await self.processor.perform { core in try core.reconfigure(rules: rules, at: now) }
    }

    private func refusingProblems<Value>(_ load: () throws -> Value) throws -> Value {
        do {
            return try load()
        } catch let error as ProblemList {
            throw APIProblem(.unprocessableContent, error.description)
        }
    }
}
