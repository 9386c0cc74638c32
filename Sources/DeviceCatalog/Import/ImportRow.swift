// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Judges one row of an import.
struct ImportRow {
    private let line: Int
    private let cells: [String: String]
    private let defaults: DeviceImport.Defaults
    private let catalog: Catalog
    private var problems: [DeviceImport.CellProblem] = []
    private var notes: [DeviceImport.CellProblem] = []

    /// Scalars of a cell.
    private static let longestCell = 200

    init(_ record: CSVRecords.Record, header: ImportHeader, defaults: DeviceImport.Defaults, catalog: Catalog) {
        self.line = record.line
        self.defaults = defaults
        self.catalog = catalog
        let pairs = zip(header.columns, record.fields.map(\.trimmed)).filter { !$0.1.isEmpty }
        var cells = Dictionary(pairs) { first, _ in first }
        if header.isThingsStack {
            let translation = ThingsStackRow(cells, defaults: defaults, catalog: catalog)
            (cells, self.problems, self.notes) = (translation.cells, translation.problems, translation.notes)
        }
        self.problems += DeviceImport.CellProblem.shorten(&cells, to: Self.longestCell)
        self.cells = cells
    }

    /// The row's verdict; a row without an error changes `state`.
    consuming func judge(_ state: inout ImportState) -> DeviceImport.Row {
        let device = self.device(state)
        let site = self.site(state)
        var row = DeviceImport.Row(
            line: self.line,
            device: self.cells["device_id"] ?? "",
            verdict: .error,
            changes: [],
            problems: []
        )
        if let device, let model = self.catalog.models[device.model],
            let message = model.zeroElevationProblem(of: device)
        {
            self.report("zero_elevation_m", message.en, message.zh)
        }
        self.checkSite(state)
        guard self.problems.isEmpty, let device, let site else {
            row.problems = self.problems
            return row
        }
        row.notes = self.notes
        for column in ImportHeader.ofSite where state.siteCells[site.id]?[column] == nil {
            if let cell = self.cells[column] { state.siteCells[site.id, default: [:]][column] = (cell, self.line) }
        }
        if let old = state.sites[site.id] {
            row.changes += old.differences(from: site)
        } else {
            row.changes.append("site")
        }
        if !row.changes.isEmpty { state.change(site) }
        let old = state.devices[device.id]
        if let old { row.changes += old.differences(from: device) }
        if old != device { state.change(device) }
        state.lines[device.id] = self.line
        row.verdict = old == nil ? .created : row.changes.isEmpty ? .unchanged : .changed
        return row
    }

    private mutating func report(_ field: String, _ en: String, _ zh: String) {
        self.problems.append(DeviceImport.CellProblem(field, en, zh))
    }
}

// MARK: - Device

extension ImportRow {
    private mutating func device(_ state: ImportState) -> Device? {
        let model = self.required("model")
        if let model, self.catalog.models[model] == nil {
            let known = self.catalog.models.keys.sorted().joined(separator: ", ")
            self.report("model", "there is no model '\(model)'; there are \(known)", "没有型号“\(model)”；现有 \(known)")
        }
        let site = self.identifier("site_id")
        guard let id = self.identifier("device_id"), let model, let site else { return nil }
        if let line = state.lines[id] {
            self.report(
                "device_id",
                "device '\(id)' is on line \(line) already; keep one row of it",
                "设备“\(id)”已在第 \(line) 行；请只保留一行"
            )
        }
        var device = state.devices[id] ?? Device(id: id, model: model, site: site)
        device.model = model
        device.site = site
        device.name = self.cells["name"] ?? device.name
        device.address = self.cells["address"] ?? device.address
        self.checkAddress(of: device, state)
        if let interval = self.cells["interval"] {
            let span = PrometheusDuration.parse(interval).flatMap { $0 > 0 && $0 <= 366 * .day ? $0 : nil }
            if span == nil {
                self.report(
                    "interval",
                    "'\(interval)' is no interval; write it like 5m, 1h30m or 1d, at most 366d",
                    "“\(interval)”不是间隔；请写成 5m、1h30m 或 1d，不超过 366d"
                )
            }
            device.schedule = span.map { .periodic($0) }
        }
        device.zeroElevationMeters = self.number("zero_elevation_m", -500...9000) ?? device.zeroElevationMeters
        device.mountHeightMeters = self.number("mount_height_m", -100...1000) ?? device.mountHeightMeters
        if self.catalog.fileDevices.contains(id), state.devices[id] != device {
            self.report(
                "device_id",
                "device '\(id)' is declared in a file under Devices/; change it there",
                "设备“\(id)”由 Devices/ 下的文件定义；请在文件中修改"
            )
        }
        return device
    }

    private mutating func checkAddress(of device: Device, _ state: ImportState) {
        guard let address = self.cells["address"] else { return }
        if let rival = state.addresses.rival(of: device) {
            let place = state.lines[rival.device].map { LocalizedName(zh: "第 \($0) 行", en: "line \($0)") }
            let message = rival.refusal(of: address, place: place)
            self.report("address", message.en, message.zh)
        }
        if device.model == DeviceModel.genericSL651.id, !ForeignAddress.isSL651(address) {
            self.report(
                "address",
                "'\(address)' is no address of SL 651, as '\(device.model)' has it: 10 hexadecimal digits, or the last 8 of them "
                    + "where the first two are 0",
                "“\(address)”不是型号“\(device.model)”所需的 SL 651 站址；应为 10 位十六进制数字（前两位为 0 时可只写后 8 位）"
            )
        }
        if device.model == DeviceModel.genericHJ212.id, address.unicodeScalars.count > 24 {
            self.report(
                "address",
                "'\(address.shortened)' is too long for an MN of HJ 212, which has at most 24 characters",
                "“\(address.shortened)”过长；HJ 212 的 MN 最多 24 个字符"
            )
        }
        // Only network servers bring bytes that a layout reads, and they know devices by nothing else.
        if self.catalog.models[device.model]?.payload != nil, !ForeignAddress.isDevEUI(address) {
            self.report(
                "address",
                "'\(address)' is no DevEUI, as '\(device.model)' has it: 16 hexadecimal digits",
                "“\(address)”不是型号“\(device.model)”所需的 DevEUI；应为 16 位十六进制数字"
            )
        }
    }
}

// MARK: - Site

extension ImportRow {
    private mutating func site(_ state: ImportState) -> Site? {
        guard let id = self.cells["site_id"], Identifier.isValid(id) else { return nil }
        let kind = self.kind()
        let position = self.position()
        let datum = self.datum()
        let existing = state.sites[id]
        guard var site = existing ?? self.newSite(id, kind: kind) else { return nil }
        if let name = self.cells["site_name"], name != site.name.zh, name != site.name.en {
            site.name = LocalizedName(zh: name, en: name)
        }
        if let kind { site.kind = kind }
        site.org = self.identifierIfGiven("org") ?? site.org
        site.basin = self.identifierIfGiven("basin") ?? site.basin
        if let position, position.latitude != site.position?.latitude || position.longitude != site.position?.longitude
        {
            site.position = position
        }
        if let datum, datum.name != site.datum?.name { site.datum = datum }
        if let existing, existing != site, self.catalog.fileSites.contains(id) {
            let fields = existing.differences(from: site).joined(separator: ", ")
            self.report(
                "site_id",
                "site '\(id)' is declared in a file under Devices/; change there: \(fields)",
                "站点“\(id)”由 Devices/ 下的文件定义；请在文件中修改：\(fields)"
            )
        }
        return site
    }

    /// Rows of one site say one thing of it.
    private mutating func checkSite(_ state: ImportState) {
        guard let id = self.cells["site_id"], let said = state.siteCells[id] else { return }
        for column in ImportHeader.ofSite {
            guard let cell = self.cells[column], let other = said[column], cell.lowercased() != other.text.lowercased(),
                Double(cell) == nil || Double(cell) != Double(other.text)
            else { continue }
            self.report(
                column,
                "line \(other.line) says '\(other.text)' of site '\(id)', this row '\(cell)'; correct one of the two",
                "第 \(other.line) 行中站点“\(id)”为“\(other.text)”，本行为“\(cell)”；请更正其中一个"
            )
        }
    }

    private mutating func newSite(_ id: String, kind: SiteKind?) -> Site? {
        guard let name = self.cells["site_name"], self.cells["kind"] != nil else {
            self.report(
                "site_id",
                "there is no site '\(id)'; correct the id, or give site_name and kind to create it",
                "没有站点“\(id)”；请更正编号，或填写 site_name 和 kind 以新建"
            )
            return nil
        }
        return kind.map { Site(id: id, name: LocalizedName(zh: name, en: name), kind: $0) }
    }

    private mutating func kind() -> SiteKind? {
        guard let text = self.cells["kind"] else { return nil }
        let kind = SiteKind(rawValue: text.lowercased())
        if kind == nil {
            let known = SiteKind.allCases.map(\.rawValue).joined(separator: ", ")
            self.report("kind", "'\(text)' is no kind of site; it is one of \(known)", "“\(text)”不是站点类型；可选：\(known)")
        }
        return kind
    }

    private mutating func position() -> Position? {
        let latitude = self.number("latitude", -90...90)
        let longitude = self.number("longitude", -180...180)
        switch (self.cells["latitude"] != nil, self.cells["longitude"] != nil) {
        case (true, false):
            self.report("longitude", "latitude is given without longitude; give both or none", "有纬度而无经度；请都填或都不填")
        case (false, true):
            self.report("latitude", "longitude is given without latitude; give both or none", "有经度而无纬度；请都填或都不填")
        case (true, true), (false, false): break
        }
        guard let latitude, let longitude else { return nil }
        return Position(latitude: latitude, longitude: longitude, confidence: "imported")
    }

    private mutating func datum() -> Datum? {
        guard let name = self.cells["datum"] else { return nil }
        guard Datum.knownNames.contains(name) else {
            let known = Datum.knownNames.joined(separator: ", ")
            self.report("datum", "datum '\(name)' is not known; it is one of \(known)", "未知的基面“\(name)”；可选：\(known)")
            return nil
        }
        return Datum(name: name, offsetTo1985Meters: nil, validFrom: nil, source: "CSV import")
    }
}

// MARK: - Cells

extension ImportRow {
    private mutating func required(_ field: String) -> String? {
        if let text = self.cells[field] { return text }
        self.report(field, "the cell is empty; it is required", "单元格为空；此项必填")
        return nil
    }

    private mutating func identifier(_ field: String) -> String? {
        guard let text = self.required(field) else { return nil }
        guard Identifier.isValid(text) else {
            self.report(
                field,
                "'\(text)' is no id; 1 to 64 characters of A-Z a-z 0-9 . _ : - are",
                "“\(text)”不是有效编号；编号为 1 至 64 个字符：A-Z a-z 0-9 . _ : -"
            )
            return nil
        }
        return text
    }

    private mutating func identifierIfGiven(_ field: String) -> String? {
        self.cells[field] == nil ? nil : self.identifier(field)
    }

    private mutating func number(_ field: String, _ range: ClosedRange<Double>) -> Double? {
        guard let text = self.cells[field] else { return nil }
        guard let number = Double(text), range.contains(number) else {
            self.report(
                field,
                "'\(text)' is no number from \(range.lowerBound) to \(range.upperBound)",
                "“\(text)”不是 \(range.lowerBound) 至 \(range.upperBound) 之间的数"
            )
            return nil
        }
        return number
    }
}

extension ImportState {
    fileprivate mutating func change(_ site: Site) {
        self.sites[site.id] = site
        if self.touchedSites.insert(site.id).inserted { self.changedSites.append(site.id) }
    }

    fileprivate mutating func change(_ device: Device) {
        if let old = self.devices[device.id] { self.addresses.remove(old) }
        self.addresses.add(device)
        self.devices[device.id] = device
        self.changedDevices.append(device.id)
    }
}

extension Site {
    fileprivate func differences(from other: Site) -> [String] {
        var fields: [String] = []
        if self.name != other.name { fields.append("site_name") }
        if self.kind != other.kind { fields.append("kind") }
        if self.org != other.org { fields.append("org") }
        if self.basin != other.basin { fields.append("basin") }
        if self.position != other.position { fields.append("position") }
        if self.datum != other.datum { fields.append("datum") }
        return fields
    }
}

extension Device {
    fileprivate func differences(from other: Device) -> [String] {
        var fields: [String] = []
        if self.model != other.model { fields.append("model") }
        if self.site != other.site { fields.append("site_id") }
        if self.name != other.name { fields.append("name") }
        if self.schedule != other.schedule { fields.append("interval") }
        if self.address != other.address { fields.append("address") }
        if self.zeroElevationMeters != other.zeroElevationMeters { fields.append("zero_elevation_m") }
        if self.mountHeightMeters != other.mountHeightMeters { fields.append("mount_height_m") }
        return fields
    }
}
