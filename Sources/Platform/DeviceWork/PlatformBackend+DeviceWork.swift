// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import EarlyWarning
package import HTTPAPI
import Telemetry

extension PlatformBackend {
    /// Longer work is no maintenance; the device is to be retired meanwhile.
    private static let longestMaintenance: Milliseconds = 30 * .day

    package func beginMaintenance(_ order: MaintenanceOrder) async throws -> MaintenanceReport {
        let device = try self.device(order.device, org: order.access.org)
        guard order.duration <= Self.longestMaintenance else {
            throw APIProblem.unprocessable(
                "for: maintenance lasts at most 30d; begin it again when it is over, or retire the device",
                zh: "for：维护最长 30 天；到期可再次开始，或停用该设备"
            )
        }
        let start = try await self.clock(of: device)
        var row = MaintenanceRow(
            device: device.id,
            start: start,
            end: start + order.duration,
            who: try self.person(order.by, note: order.note, order.access),
            via: order.access.name,
            note: order.note,
            enteredAt: self.now()
        )
        row.id = try self.records.begin(row)
        try await self.putMaintenanceInForce(at: start)
        return MaintenanceReport(row, site: device.site, at: start)
    }

    package func endMaintenance(of id: String, by name: String, access: Access) async throws -> MaintenanceReport {
        let device = try self.device(id, org: access.org)
        // A reading at the data clock itself came before the work ended.
        let moment = try await self.clock(of: device) + (self.options.clock == .data ? 1 : 0)
        let who = try self.person(name, note: "", access)
        guard try self.records.endMaintenance(of: id, at: moment, by: who) else {
            throw APIProblem.conflict(
                "device '\(id)' is not under maintenance; `poyang devices maintenance \(id)` shows when it was",
                zh: "设备“\(id)”不在维护中；用 poyang devices maintenance \(id) 查看记录"
            )
        }
        try await self.putMaintenanceInForce(at: moment)
        guard let row = try self.records.maintenance(device: id, limit: 1).first else {
            throw APIProblem.notFound("device '\(id)' was never under maintenance")
        }
        return MaintenanceReport(row, site: device.site, at: moment)
    }

    package func maintenance(device id: String?, org: String?, limit: Int) async throws -> [MaintenanceReport] {
        if let id { _ = try self.device(id, org: org) }
        let catalog = self.resolver.catalog
        let rows = try self.records.maintenance(device: id, limit: org == nil ? limit : .max)
        let clocks = try await self.clocks(of: rows.compactMap { catalog.devices[$0.device] })
        return
            rows.filter { catalog.device($0.device, isOf: org) }
            .prefix(limit)
            .map { row in
                let site = catalog.devices[row.device]?.site ?? ""
                return MaintenanceReport(row, site: site, at: clocks[site] ?? self.now())
            }
    }

    package func addCalibration(_ order: CalibrationOrder) throws -> CalibrationReport {
        let device = try self.device(order.device, org: order.access.org)
        let known = Set(
            self.resolver.catalog.registeredChannels(at: device.site).filter { $0.device == device.id }.map(\.metric)
        )
        guard known.isEmpty || known.contains(order.metric), MetricName.isAcceptable(order.metric) else {
            let listed = known.isEmpty ? "water_level_meters, …" : known.sorted().joined(separator: ", ")
            throw APIProblem.unprocessable(
                "metric: device '\(device.id)' has no '\(order.metric)'; it has \(listed)",
                zh: "metric：设备“\(device.id)”没有“\(order.metric)”；可选 \(listed)"
            )
        }
        let now = self.now()
        if let time = order.time, time > now + self.resolver.policy.skew || time < CatalogResolver.earliestTime {
            throw APIProblem.unprocessable(
                "at: \(time) is not between 2000 and now (\(now)); give the time of the calibration",
                zh: "at：\(time) 不在 2000 年至现在（\(now)）之间；请填校准时刻"
            )
        }
        var row = CalibrationRow(
            device: device.id,
            metric: order.metric,
            time: order.time ?? now,
            before: order.before,
            after: order.after,
            reference: order.reference,
            who: try self.person(order.by, note: order.note, order.access),
            via: order.access.name,
            note: order.note,
            enteredAt: now
        )
        row.id = try self.records.add(row)
        return CalibrationReport(row)
    }

    package func calibrations(device id: String, org: String?, limit: Int) throws -> [CalibrationReport] {
        _ = try self.device(id, org: org)
        return try self.records.calibrations(device: id, limit: limit).map(CalibrationReport.init)
    }

    /// Lets the resolver and the rules know which windows there are.
    private func putMaintenanceInForce(at moment: Timestamp) async throws {
        self.resolver.replace(maintenance: try self.records.maintenanceWindows())
        try await self.processor.perform { core in core.lookAtChannels(at: moment) }
    }

    /// The clock by which readings of a device fall into a window: that of the wall, or of its site's data.
    func clock(of device: Device) async throws -> Timestamp {
        try await self.clocks(of: [device])[device.site] ?? self.now()
    }

    /// By site.
    private func clocks(of devices: [Device]) async throws -> [String: Timestamp] {
        guard self.options.clock == .data else { return [:] }
        let sites = Array(Set(devices.map(\.site)))
        return try await self.processor.look { $0.clocks(of: sites) }
    }

    /// - Throws: ``APIProblem`` 404 for a device that is not there or of another org.
    func device(_ id: String, org: String?) throws -> Device {
        let catalog = self.resolver.catalog
        guard let device = catalog.devices[id], catalog.device(id, isOf: org) else {
            throw APIProblem.notFound(
                "there is no device '\(id)'; `poyang devices list` shows all",
                zh: "没有设备“\(id)”；用 poyang devices list 查看全部设备"
            )
        }
        return device
    }

    /// Who says so: the name given, else the token's.
    func person(_ name: String, note: String, _ access: Access) throws -> String {
        let given = name.filter { !$0.isNewline }.split(separator: " ").joined(separator: " ")
        guard given.count <= 100, note.count <= 1000 else {
            throw APIProblem.unprocessable(
                "by: a name has at most 100 characters, a note at most 1000",
                zh: "by：姓名不超过 100 字，备注不超过 1000 字"
            )
        }
        return given.isEmpty ? access.name : given
    }
}

extension Catalog {
    /// Whether a device stands at a site of `org`; any device is nobody's in particular.
    func device(_ id: String, isOf org: String?) -> Bool {
        guard let org else { return true }
        return self.devices[id].flatMap { self.sites[$0.site] }?.org == org
    }
}

extension CatalogStore {
    /// Of so many windows late readings are recognised.
    private static let windowsKept = 10_000

    /// The windows of all devices.
    func maintenanceWindows() throws -> MaintenanceWindows {
        var windows = MaintenanceWindows()
        for row in try self.maintenance(limit: Self.windowsKept) {
            windows.add(row.device, from: row.start, until: row.end)
        }
        return windows
    }
}
