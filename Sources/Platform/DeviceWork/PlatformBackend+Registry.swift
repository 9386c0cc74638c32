// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import EarlyWarning
package import HTTPAPI
import Telemetry

/// Single devices change at run time: those of the registry. Those of files are changed there.
extension PlatformBackend {
    package func exportDevices(site: String?, org: String?) -> String {
        let catalog = self.resolver.catalog
        let devices = catalog.devices.values.filter { device in
            let owner = catalog.sites[device.site]?.org
            return (site ?? device.site) == device.site && (org ?? owner) == owner
        }
        return DeviceExport(devices, sites: catalog.sites).csv
    }

    package func retireDevice(_ id: String, by name: String, access: Access) async throws {
        let device = try self.registeredDevice(id, org: access.org)
        let who = try self.person(name, note: "", access)
        let now = self.now()
        try await self.change(CatalogRegistrations(), retiring: [device], at: now)
        try self.records.add([
            DeviceFact(
                device: id,
                time: now,
                kind: "retired",
                what: "\(device.model) at \(device.site)",
                who: who,
                via: access.name
            )
        ])
    }

    package func replaceDevice(_ order: ReplacementOrder) async throws -> DeviceReport {
        let old = try self.registeredDevice(order.device, org: order.access.org)
        let who = try self.person(order.by, note: order.note, order.access)
        let catalog = self.resolver.catalog
        guard Identifier.isValid(order.new), catalog.devices[order.new] == nil else {
            throw APIProblem.unprocessable(
                "with: '\(order.new)' is no id, or a device has it already; give the new device a free id of A-Z a-z 0-9 "
                    + ". _ : -",
                zh: "with：“\(order.new)”不是有效编号或已被占用；请用未占用的编号（A-Z a-z 0-9 . _ : -）"
            )
        }
        guard try !self.records.accountsForMany().contains(order.new) else {
            let problem = DeviceImport.CellProblem.accountForMany(order.new).message
            throw APIProblem.conflict("with: \(problem.en)", zh: "with：\(problem.zh)")
        }
        if let address = order.address, let problem = catalog.refusal(ofAddress: address, besides: old.id) {
            throw APIProblem.conflict("address: \(problem.en)", zh: "address：\(problem.zh)")
        }
        let now = self.now()
        var new = old
        new.id = order.new
        new.model = order.model ?? old.model
        new.address = order.address ?? old.address
        new.installedAt = now
        new.rank = old.place
        new.zeroElevationMeters = order.zero ?? old.zeroElevation(at: now)
        new.mountHeightMeters = order.mount ?? old.surveys.last?.mountHeightMeters ?? old.mountHeightMeters
        new.surveys = []
        try await self.change(CatalogRegistrations(devices: [new]), retiring: [old], successor: new.id, at: now)
        func fact(_ device: String, _ kind: String, _ what: String) -> DeviceFact {
            DeviceFact(device: device, time: now, kind: kind, what: what, who: who, via: order.access.name)
        }
        let note = order.note.isEmpty ? "" : ": \(order.note)"
        try self.records.add([
            fact(old.id, "replaced", "by \(new.id)\(note)"),
            fact(new.id, "replaces", "\(old.id), \(self.zeroInWords(new, at: now))\(note)"),
        ])
        return try await self.known(new.id)
    }

    package func surveyDevice(_ order: SurveyOrder) async throws -> DeviceReport {
        let old = try self.registeredDevice(order.device, org: order.access.org)
        var device = old
        let who = try self.person(order.by, note: order.source, order.access)
        let now = self.now()
        let from = try await self.moment(order.from, of: device, at: now)
        guard (-500...9000).contains(order.zero), order.mount.map((-100...1000).contains) ?? true else {
            throw APIProblem.unprocessable(
                "zero_elevation_m is from -500 to 9000, mount_height_m from -100 to 1000; both in metres",
                zh: "zero_elevation_m 应在 -500 至 9000 之间，mount_height_m 应在 -100 至 1000 之间，单位为米"
            )
        }
        let before = self.zeroInWords(device, at: from)
        device.surveys.removeAll { $0.validFrom == from }
        device.surveys.append(
            ZeroSurvey(
                validFrom: from,
                zeroElevationMeters: order.zero,
                mountHeightMeters: order.mount,
                surveyor: who,
                source: order.source
            )
        )
        device.surveys.sort { $0.validFrom < $1.validFrom }
        try await self.change(CatalogRegistrations(devices: [device]), at: now)
        let left = try await self.levelsLeftBehind(by: device, old, from: from)
        let source = order.source.isEmpty ? "" : " (\(order.source))"
        try self.records.add([
            DeviceFact(
                device: device.id,
                time: now,
                kind: "surveyed",
                what: "from \(from): \(before) → \(self.zeroInWords(device, at: from))\(source)"
                    + (left.map { "; \($0.kept) readings since then keep the old zero" } ?? ""),
                who: who,
                via: order.access.name
            )
        ])
        var report = try await self.known(device.id)
        report.survey = left
        return report
    }

    /// From when on a survey counts: not before today's readings, which have the zero of before.
    private func moment(_ given: Timestamp?, of device: Device, at now: Timestamp) async throws -> Timestamp {
        guard let given else { return self.options.clock == .wall ? now : try await self.clock(of: device) + 1 }
        guard given >= CatalogResolver.earliestTime, given <= now + 366 * .day else {
            throw APIProblem.unprocessable(
                "valid_from: \(given) is before 2000 or more than a year ahead",
                zh: "valid_from：\(given) 早于 2000 年或晚于一年之后"
            )
        }
        return given
    }

    private func zeroInWords(_ device: Device, at moment: Timestamp) -> String {
        let height = device.surveys.last { $0.validFrom <= moment }?.mountHeightMeters ?? device.mountHeightMeters
        return "zero \(device.zeroElevation(at: moment).map { "\($0) m" } ?? "unknown")"
            + (height.map { ", mounted \($0) m above it" } ?? "")
    }

    /// Puts registrations on record and in force, or neither.
    private func change(
        _ registrations: CatalogRegistrations,
        retiring: [Device] = [],
        successor: String? = nil,
        at now: Timestamp
    ) async throws {
        let catalog = try self.refusingProblems {
            try self.configuration.catalog(keys: self.keys, adding: registrations, removing: Set(retiring.map(\.id)))
        }
        try self.records.register(registrations, retiring: retiring, successor: successor, at: now)
        if let successor {
            for device in retiring { self.keys.handOver(from: device.id, to: successor) }
            try self.keys.save(self.records.put(gained:))
        }
        try await self.adopt(catalog, rules: nil)
    }

    /// A device that is out of use, with its history; nil where there never was one, or it is another org's.
    func retiredReport(_ id: String, org: String?) throws -> DeviceReport? {
        guard let retired = try self.records.registered(.device, id: id).flatMap(RetiredDevice.init) else { return nil }
        let owner = self.resolver.catalog.sites[retired.device.site]?.org ?? ""
        guard org.map({ $0 == owner }) ?? true else { return nil }
        var report = DeviceReport(
            retired.device,
            org: owner,
            source: "registry",
            state: retired.successor == nil ? "retired" : "replaced",
            maintenanceUntil: nil,
            lastSeen: nil,
            clockOffsetSeconds: nil,
            interval: nil,
            channels: []
        )
        let history = try self.records.history(device: id)
        report.retiredAt = retired.moment.rfc3339()
        report.retiredBy = history.last { ["retired", "replaced"].contains($0.kind) }?.who
        report.replacedBy = retired.successor
        report.history = history.map(DeviceFactReport.init)
        return report
    }

    /// The device in use that stands, after some replacements perhaps, in the place of one that is not.
    func successor(of id: String, among retired: [String: RetiredDevice]) -> Device? {
        var seen: Set<String> = []
        var next = retired[id]?.successor
        while let id = next, seen.insert(id).inserted {
            if let device = self.resolver.catalog.devices[id] { return device }
            next = retired[id]?.successor
        }
        return nil
    }

    private func known(_ id: String) async throws -> DeviceReport {
        guard let report = try await self.deviceReport(id, org: nil) else {
            throw APIProblem.notFound("device '\(id)' was taken away meanwhile")
        }
        return report
    }

    /// - Throws: ``APIProblem`` 404 for a device that is not there or of another org, 409 for one that a file declares.
    private func registeredDevice(_ id: String, org: String?) throws -> Device {
        let device = try self.device(id, org: org)
        guard !self.resolver.catalog.fileDevices.contains(id) else {
            throw APIProblem.conflict(
                "device '\(id)' is declared in a file under Devices/; change it there and run `poyang devices apply`",
                zh: "设备“\(id)”由 Devices/ 下的文件定义；请在文件中修改，再运行 poyang devices apply"
            )
        }
        return device
    }
}
