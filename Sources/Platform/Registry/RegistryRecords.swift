// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import Dissemination
import Telemetry

/// A device as `catalog.db` keeps it.
struct DeviceRecord: Codable {
    var id: String
    var name: String
    var model: String
    var site: String
    var zeroElevationMeters: Double?
    var mountHeightMeters: Double?
    /// Absent where there are none.
    var surveys: [ZeroSurvey]?
    /// Milliseconds between reports, or the heartbeat of a device that reports on change.
    var interval: Milliseconds?
    var reportsOnChange: Bool
    var address: String
    var isTest: Bool
    /// When it was registered first; unknown of those that were before this was kept.
    var installedAt: Timestamp?
    /// Absent of those that were before this was kept.
    var rank: Int64?
    /// Absent of those that never moved, or did before this was kept.
    var move: DeviceMove?
    /// The id of the one that was put in its place when it was taken out of use.
    var replacedBy: String?

    init(_ device: Device) {
        self.id = device.id
        self.name = device.name
        self.model = device.model
        self.site = device.site
        self.zeroElevationMeters = device.zeroElevationMeters
        self.mountHeightMeters = device.mountHeightMeters
        self.surveys = device.surveys.isEmpty ? nil : device.surveys
        switch device.schedule {
        case .periodic(let interval): (self.interval, self.reportsOnChange) = (interval, false)
        case .event(let heartbeat): (self.interval, self.reportsOnChange) = (heartbeat, true)
        case nil: (self.interval, self.reportsOnChange) = (nil, false)
        }
        self.address = device.address
        self.isTest = device.isTest
        self.installedAt = device.installedAt
        self.rank = device.rank
        self.move = device.move
    }

    var device: Device {
        var device = Device(
            id: self.id,
            name: self.name,
            model: self.model,
            site: self.site,
            zeroElevationMeters: self.zeroElevationMeters,
            mountHeightMeters: self.mountHeightMeters,
            schedule: self.interval.map { self.reportsOnChange ? .event(heartbeat: $0) : .periodic($0) },
            address: self.address,
            isTest: self.isTest,
            installedAt: self.installedAt
        )
        device.surveys = self.surveys ?? []
        // Those of before this was kept came before all others.
        device.rank = self.rank ?? self.installedAt?.milliseconds ?? 0
        device.move = self.move
        return device
    }
}

/// A device that was taken out of use.
struct RetiredDevice {
    let device: Device
    let moment: Timestamp
    /// The id of the one that was put in its place.
    let successor: String?

    /// Nil for one in use.
    init?(_ row: RegistryRow) throws {
        guard let moment = row.retiredAt else { return nil }
        let record = try StoredJSON.decode(DeviceRecord.self, from: row.json)
        self.device = record.device
        self.moment = moment
        self.successor = record.replacedBy
    }

    /// Day of the calendar in China.
    var day: String { String(self.moment.rfc3339().prefix(10)) }
}

/// A threshold of a registered site.
struct ThresholdRecord: Codable {
    var hazard: Hazard
    var level: WarningLevel
    var name: String
    /// In the canonical unit, which is kept by the suffix that metrics carry.
    var value: Double
    var unit: String
    var validFrom: Timestamp
    var validTo: Timestamp?
    var authority: String
    var source: String
    var confidence: Confidence
    /// Month-day, the end exclusive.
    var seasonFrom: String?
    var seasonTo: String?
    var window: Milliseconds?

    init(_ threshold: Threshold) {
        self.hazard = threshold.hazard
        self.level = threshold.level
        self.name = threshold.name
        self.value = threshold.value
        self.unit = threshold.unit.suffix
        self.validFrom = threshold.validFrom
        self.validTo = threshold.validTo
        self.authority = threshold.authority
        self.source = threshold.source
        self.confidence = threshold.confidence
        self.seasonFrom = threshold.season.map { "\($0.from)" }
        self.seasonTo = threshold.season.map { "\($0.to)" }
        self.window = threshold.window
    }

    var threshold: Threshold {
        var season: Season?
        if let from = self.seasonFrom.flatMap(Season.MonthDay.init(parsing:)),
            let to = self.seasonTo.flatMap(Season.MonthDay.init(parsing:))
        {
            season = Season(from: from, to: to)
        }
        return Threshold(
            hazard: self.hazard,
            level: self.level,
            name: self.name,
            value: self.value,
            unit: Unit(named: self.unit) ?? .dimensionless,
            validFrom: self.validFrom,
            validTo: self.validTo,
            authority: self.authority,
            source: self.source,
            confidence: self.confidence,
            season: season,
            window: self.window
        )
    }
}

/// A site as `catalog.db` keeps it.
struct SiteRecord: Codable {
    var id: String
    var name: LocalizedName
    var kind: SiteKind
    var org: String
    var basin: String
    var adminCode: String
    var county: String
    var latitude: Double?
    var longitude: Double?
    var positionConfidence: Confidence?
    var datum: String?
    /// Absent where there are none.
    var thresholds: [ThresholdRecord]?

    init(_ site: Site) {
        self.id = site.id
        self.name = site.name
        self.kind = site.kind
        self.org = site.org
        self.basin = site.basin
        self.adminCode = site.adminCode
        self.county = site.county
        self.latitude = site.position?.latitude
        self.longitude = site.position?.longitude
        self.positionConfidence = site.position?.confidence
        self.datum = site.datum?.name
        self.thresholds = site.thresholds.isEmpty ? nil : site.thresholds.map(ThresholdRecord.init)
    }

    var site: Site {
        var position: Position?
        if let latitude, let longitude {
            position = Position(
                latitude: latitude,
                longitude: longitude,
                confidence: self.positionConfidence ?? "unknown"
            )
        }
        return Site(
            id: self.id,
            name: self.name,
            kind: self.kind,
            org: self.org,
            basin: self.basin,
            adminCode: self.adminCode,
            county: self.county,
            position: position,
            datum: self.datum.map {
                Datum(name: $0, offsetTo1985Meters: nil, validFrom: nil, source: "registered")
            },
            thresholds: (self.thresholds ?? []).map(\.threshold)
        )
    }
}

extension CatalogStore {
    /// Sites and devices that were registered at run time and are in use, and accounts.
    func registrations() throws -> CatalogRegistrations {
        var registrations = CatalogRegistrations(
            sites: try self.registered(.site).map { try StoredJSON.decode(SiteRecord.self, from: $0.json).site },
            devices: try self.registered(.device).map { try StoredJSON.decode(DeviceRecord.self, from: $0.json).device }
        )
        registrations.accounts = try self.accountsForMany()
        return registrations
    }

    /// Devices that are out of use, by their ids.
    func retiredDevices() throws -> [String: RetiredDevice] {
        let retired = try self.registered(.device, includingRetired: true).compactMap(RetiredDevice.init)
        return Dictionary(retired.map { ($0.device.id, $0) }) { $1 }
    }

    /// Registers or changes sites and devices in one transaction.
    ///
    /// Devices of `retiring` are out of use from `now` on; `successor` is the id of the one in their place.
    func register(
        _ registrations: CatalogRegistrations,
        retiring: [Device] = [],
        successor: String? = nil,
        at now: Timestamp
    ) throws {
        func row(_ kind: RegistryKind, _ id: String, _ record: some Encodable) throws -> RegistryRow {
            RegistryRow(kind: kind, id: id, json: try StoredJSON.encode(record), updatedAt: now)
        }
        func record(_ device: Device) -> DeviceRecord {
            var record = DeviceRecord(device)
            record.installedAt = device.installedAt ?? now
            record.rank = device.rank ?? record.installedAt?.milliseconds
            return record
        }
        try self.register(
            registrations.sites.map { try row(.site, $0.id, SiteRecord($0)) }
                + registrations.devices.map { try row(.device, $0.id, record($0)) }
                + retiring.map { device in
                    var last = record(device)
                    last.replacedBy = successor
                    var row = try row(.device, device.id, last)
                    row.retiredAt = now
                    return row
                }
        )
    }
}
