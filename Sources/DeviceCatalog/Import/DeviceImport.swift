// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// What a CSV file of devices would change; nothing is changed by making it.
///
/// Columns: `device_id model site_id` are required, `site_name kind latitude longitude org basin datum interval name
/// address zero_elevation_m mount_height_m` optional. The file that The Things Stack imports devices from is taken as
/// it is: `id` (or `eui-` and the DevEUI), `name`, `dev_eui` as the address, `brand_id/model_id` where such a model
/// exists, also under the names of the device repository; its keys are not looked at.
///
/// ## Usage
/// ```swift
/// let plan = DeviceImport(csv: text, catalog: catalog)
/// for row in plan.rows { print(row.line, row.device, row.verdict) }
/// if !dryRun { try store.register(sites: plan.sites, devices: plan.devices) }
/// ```
package struct DeviceImport: Sendable {
    /// What becomes of a row.
    package enum Verdict: String, Hashable, Sendable, Codable {
        case created
        case changed
        case unchanged
        case error
    }

    /// One thing that is wrong with a row.
    package struct CellProblem: Hashable, Sendable {
        /// The column; empty where the row as a whole is meant.
        package let field: String
        /// What is wrong and what would be right.
        package let message: LocalizedName

        package init(_ field: String, _ message: LocalizedName) {
            self.field = field
            self.message = message
        }

        package init(_ field: String, _ en: String, _ zh: String) {
            self.init(field, LocalizedName(zh: zh, en: en))
        }

        /// With the column before it.
        package var text: LocalizedName {
            guard !self.field.isEmpty else { return self.message }
            return LocalizedName(zh: "\(self.field)：\(self.message.zh)", en: "\(self.field): \(self.message.en)")
        }
    }

    /// One row of the file.
    package struct Row: Hashable, Sendable {
        /// The line on which it begins, from 1; the header is on line 1.
        package let line: Int
        package var device: String
        package var verdict: Verdict
        /// The columns that differ: `interval`, `site_name`; for a created device on a new site `site`.
        package var changes: [String]
        /// Why the verdict is `error`; empty otherwise.
        package var problems: [CellProblem]
        /// What should be known of a row that is no error.
        package var notes: [CellProblem] = []
    }

    /// What The Things Stack's file does not say.
    package struct Defaults: Hashable, Sendable {
        /// The model of a device whose brand and model are not in the catalogue.
        package var model: String
        /// The site of all rows; without it each device gets a site of its own id.
        package var site: String?
        /// The kind of the sites that are created without one.
        package var kind: SiteKind

        package init(model: String = "generic/json", site: String? = nil, kind: SiteKind = .field) {
            self.model = model
            self.site = site
            self.kind = kind
        }
    }

    package private(set) var rows: [Row] = []
    /// Sites to be registered or registered anew, from rows without an error.
    package private(set) var sites: [Site] = []
    /// Devices to be registered or registered anew, from rows without an error.
    package private(set) var devices: [Device] = []

    package init(csv text: String, catalog: Catalog, defaults: Defaults = Defaults()) {
        self.init(csv: Array(text.utf8), catalog: catalog, defaults: defaults)
    }

    package init(csv bytes: [UInt8], catalog: Catalog, defaults: Defaults = Defaults()) {
        let records: [CSVRecords.Record]
        do {
            records = try CSVRecords(file: bytes).records
        } catch {
            self.rows = [.failed(line: error.line, CellProblem("", error.message))]
            return
        }
        guard let first = records.first else {
            self.rows = [.failed(line: 1, .emptyFile)]
            return
        }
        let header = ImportHeader(first.fields)
        guard header.problems.isEmpty else {
            self.rows = [Row(line: first.line, device: "", verdict: .error, changes: [], problems: header.problems)]
            return
        }
        var state = ImportState(catalog: catalog)
        for record in records.dropFirst() {
            guard record.fields.count == header.columns.count else {
                let problem = CellProblem.fields(record.fields.count, header: header.columns.count)
                self.rows.append(.failed(line: record.line, problem))
                continue
            }
            self.rows.append(
                ImportRow(record, header: header, defaults: defaults, catalog: catalog).judge(&state)
            )
        }
        self.sites = state.changedSites.compactMap { state.sites[$0] }
        self.devices = state.changedDevices.compactMap { state.devices[$0] }
    }
}

extension DeviceImport.Row {
    fileprivate static func failed(line: Int, _ problem: DeviceImport.CellProblem) -> DeviceImport.Row {
        DeviceImport.Row(line: line, device: "", verdict: .error, changes: [], problems: [problem])
    }
}

/// What is wrong with any CSV file of registrations.
extension DeviceImport.CellProblem {
    static let emptyFile = Self("", "the file is empty; its first line names the columns", "文件为空；第一行应为列名")

    package static func noSite(_ id: String) -> Self {
        Self(
            "site_id",
            "there is no site '\(id)'; `poyang sites list` shows all",
            "没有站点“\(id)”；用 poyang sites list 查看全部站点"
        )
    }

    /// MQTT users are the ids of devices: it would have what the account may, or nothing.
    package static func accountForMany(_ id: String) -> Self {
        Self(
            "device_id",
            "'\(id)' is the account of a gateway or network server at the broker; register the device under another id, or "
                + "revoke that account first: `poyang devices credentials \(id) --revoke`",
            "“\(id)”是网关或网络服务器的 MQTT 账号；请用其他编号登记该设备，或先吊销该账号：poyang devices credentials \(id) --revoke"
        )
    }

    /// Both would write the same series.
    package static func replaced(_ id: String, by other: String, on day: String) -> Self {
        Self(
            "device_id",
            "'\(id)' was replaced on \(day), and '\(other)' stands in its place; take the row out, or, where '\(id)' is back, "
                + "run `poyang devices replace \(other) --with \(id)`",
            "“\(id)”已于 \(day) 被替换，现由“\(other)”代替；请删去该行，如“\(id)”已装回，请运行 poyang devices replace \(other) --with \(id)"
        )
    }

    package static func inUseAgain(since day: String) -> Self {
        Self("device_id", "it was out of use since \(day) and is in use again", "该设备自 \(day) 起停用，现重新启用")
    }

    static func fields(_ count: Int, header: Int) -> Self {
        Self("", "the row has \(count) fields, the header \(header)", "该行有 \(count) 个字段，表头有 \(header) 个")
    }

    /// What is wrong with a header row.
    static func header(_ columns: [String], required: [String], optional: [String]?) -> [Self] {
        guard columns.count <= self.mostColumns else {
            return [
                Self(
                    "",
                    "the header has \(columns.count) columns; at most \(self.mostColumns) are read",
                    "表头有 \(columns.count) 列；最多 \(self.mostColumns) 列"
                )
            ]
        }
        return self.twiceNamed(columns)
            + (optional.map { self.columns(columns, required: required, optional: $0) } ?? [])
    }

    private static let mostColumns = 200

    /// Takes the ends off cells that are longer than `limit` scalars.
    ///
    /// - Returns: What is wrong with them.
    static func shorten(_ cells: inout [String: String], to limit: Int) -> [Self] {
        cells.filter { $0.value.unicodeScalars.dropFirst(limit).first != nil }.sorted { $0.key < $1.key }
            .map { name, cell in
                cells[name] = cell.shortened
                let count = cell.unicodeScalars.count
                return Self(
                    name,
                    "the cell has \(count) characters; at most \(limit) are taken",
                    "单元格有 \(count) 个字符；最多 \(limit) 个"
                )
            }
    }

    private static func twiceNamed(_ columns: [String]) -> [Self] {
        columns.enumerated().filter { !$1.isEmpty && columns[..<$0].contains($1) }
            .map { Self($1, "the column appears twice; keep one", "该列重复；请保留一个") }
    }

    /// Columns that must be there and are not, and those that are not known.
    private static func columns(_ columns: [String], required: [String], optional: [String]) -> [Self] {
        let (listed, known) = (required.joined(separator: ", "), (required + optional).joined(separator: ", "))
        return required.filter { !columns.contains($0) }
            .map { Self($0, "the column is missing; required are \(listed)", "缺少该列；必填列为 \(listed)") }
            + columns.enumerated().filter { !required.contains($1) && !optional.contains($1) }
            .map { index, name in
                name.isEmpty
                    ? self.nameless(index + 1)
                    : Self(name, "the column is not known; known are \(known)", "未知的列；可用的列为 \(known)")
            }
    }

    /// Mostly what a delimiter at the end of the line makes.
    private static func nameless(_ number: Int) -> Self {
        Self(
            "",
            "column \(number) of the header has no name: name it, or take the column (a ',' at the end of the line?) out of "
                + "every line",
            "表头第 \(number) 列没有列名：请填写列名，或在每一行中删去该列（行末是否多了“,”？）"
        )
    }
}

/// The sites and devices as they will be after the rows read so far.
struct ImportState {
    var sites: [String: Site]
    var devices: [String: Device]
    /// In the order of the file.
    var changedSites: [String] = []
    var touchedSites: Set<String> = []
    var changedDevices: [String] = []
    /// The line of each device of the file.
    var lines: [String: Int] = [:]
    /// What rows said of each site, by its id and the column.
    var siteCells: [String: [String: (text: String, line: Int)]] = [:]
    var addresses: AddressBook

    init(catalog: Catalog) {
        self.sites = catalog.sites
        self.devices = catalog.devices
        self.addresses = catalog.addresses
    }
}

/// The columns of the file under the names of this import.
struct ImportHeader {
    static let required = ["device_id", "model", "site_id"]
    /// What belongs to the site, and is the same in each row of it.
    static let ofSite = ["site_name", "kind", "latitude", "longitude", "org", "basin", "datum"]
    static let optional = ofSite + ["interval", "name", "address", "zero_elevation_m", "mount_height_m"]

    let columns: [String]
    /// Whether the file is The Things Stack's.
    let isThingsStack: Bool
    let problems: [DeviceImport.CellProblem]

    init(_ fields: [String]) {
        self.columns = fields.map(\.columnName)
        self.isThingsStack = self.columns.contains("dev_eui")
        self.problems = DeviceImport.CellProblem.header(
            self.columns,
            required: ImportHeader.required,
            // The Things Stack has columns that are of no use here.
            optional: self.isThingsStack ? nil : ImportHeader.optional
        )
    }
}

extension String {
    /// The name of a column as a header has it.
    var columnName: String { self.trimmed.lowercased().shortened }

    /// As much of it as a message shows.
    var shortened: String {
        let shown = 64
        let rest = self.unicodeScalars.dropFirst(shown)
        return rest.isEmpty ? self : String(self.unicodeScalars.prefix(shown)) + "…"
    }
}

extension StringProtocol {
    /// Without white space around it.
    var trimmed: String {
        let start = self.drop { $0.isWhitespace }
        let trailing = start.reversed().prefix { $0.isWhitespace }.count
        return String(start.dropLast(trailing))
    }
}
