// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// A row of the file that The Things Stack imports devices from, under our columns.
struct ThingsStackRow {
    private(set) var cells: [String: String] = [:]
    private(set) var problems: [DeviceImport.CellProblem] = []
    /// Where the model is not the one that the row names.
    private(set) var notes: [DeviceImport.CellProblem] = []

    init(_ row: [String: String], defaults: DeviceImport.Defaults, catalog: Catalog) {
        let eui = row["dev_eui"] ?? ""
        if eui.isEmpty {
            self.problems.append(.init("dev_eui", "the cell is empty; it is required", "单元格为空；此项必填"))
        } else if !ForeignAddress.isDevEUI(eui) {
            self.problems.append(
                .init(
                    "dev_eui",
                    "'\(eui.shortened)' is no DevEUI; it has 16 hexadecimal digits",
                    "“\(eui.shortened)”不是 DevEUI；应为 16 位十六进制数字"
                )
            )
        }
        for column in [
            "name", "org", "basin", "interval", "latitude", "longitude", "zero_elevation_m", "mount_height_m",
        ] {
            self.cells[column] = row[column]
        }
        self.cells["device_id"] = row["id"] ?? row["device_id"] ?? (eui.isEmpty ? nil : "eui-" + eui.lowercased())
        self.cells["address"] = eui.isEmpty ? nil : eui.uppercased()
        let model = row["model"] ?? Self.model(row, catalog)
        if model == nil, row["brand_id"] != nil || row["model_id"] != nil {
            let name = [row["brand_id"], row["model_id"]].map { $0?.shortened ?? "?" }.joined(separator: "/")
            self.notes.append(
                .init(
                    "model_id",
                    "there is no model '\(name)' here; the device is taken as '\(defaults.model)'",
                    "没有型号“\(name)”；该设备按“\(defaults.model)”登记"
                )
            )
        }
        self.cells["model"] = model ?? defaults.model
        self.cells["site_id"] = row["site_id"] ?? defaults.site ?? self.cells["device_id"]
        if let site = self.cells["site_id"], catalog.sites[site] == nil {
            // A site of its own has the device's name.
            let name = site == self.cells["device_id"] ? row["name"] : nil
            self.cells["site_name"] = row["site_name"] ?? name ?? site
            self.cells["kind"] = row["kind"] ?? defaults.kind.rawValue
        }
    }

    /// Brands and models whose names in the LoRaWAN device repository are not ours.
    private static let brands = ["milesight-iot": "milesight"]
    private static let models = ["sensecap/sensecaps2101-temp-humid": "sensecap/s2101"]

    private static func model(_ row: [String: String], _ catalog: Catalog) -> String? {
        guard let brand = row["brand_id"], let model = row["model_id"] else { return nil }
        let name = "\(self.brands[brand] ?? brand)/\(model)"
        return catalog.models[self.models[name] ?? name]?.id
    }
}
