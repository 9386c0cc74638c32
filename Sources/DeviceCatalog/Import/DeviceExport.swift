// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Devices and their sites as the CSV file that ``DeviceImport`` reads.
///
/// What is read back where it came from changes nothing. Surveys of the zero are no part of it: the file has the zero that
/// the device was registered with.
package struct DeviceExport {
    /// A header row and a row for each device, in the order of their ids; lines end with a line feed.
    package let csv: String

    /// Devices at a site that is not in `sites` are left out.
    package init(_ devices: some Sequence<Device>, sites: [String: Site]) {
        let columns = ImportHeader.required + ImportHeader.optional
        var text = columns.joined(separator: ",") + "\n"
        for device in devices.sorted(by: { $0.id < $1.id }) {
            guard let site = sites[device.site] else { continue }
            let cells = Self.cells(device, site)
            text += columns.map { Self.quoted(cells[$0] ?? "") }.joined(separator: ",") + "\n"
        }
        self.csv = text
    }

    private static func cells(_ device: Device, _ site: Site) -> [String: String] {
        var cells = [
            "device_id": device.id, "model": device.model, "site_id": site.id, "site_name": site.name.zh,
            "kind": site.kind.rawValue, "org": site.org, "basin": site.basin, "name": device.name,
            "address": device.address,
        ]
        if let position = site.position {
            cells["latitude"] = "\(position.latitude)"
            cells["longitude"] = "\(position.longitude)"
        }
        if let datum = site.datum, Datum.knownNames.contains(datum.name) { cells["datum"] = datum.name }
        if case .periodic(let interval)? = device.schedule { cells["interval"] = PrometheusDuration.text(interval) }
        if let zero = device.zeroElevationMeters { cells["zero_elevation_m"] = "\(zero)" }
        if let mount = device.mountHeightMeters { cells["mount_height_m"] = "\(mount)" }
        return cells
    }

    /// RFC 4180.
    private static func quoted(_ cell: String) -> String {
        guard cell.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline || $0 == ";" }) else { return cell }
        return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }
}
