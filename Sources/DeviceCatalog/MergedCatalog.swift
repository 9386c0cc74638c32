// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry

/// The files and the registry put together, and what does not fit.
struct MergedCatalog {
    private(set) var sites: [String: Site]
    private(set) var devices: [String: Device]
    private(set) var addresses: AddressBook
    private(set) var problems: [Problem] = []

    init(files: CatalogFiles, registered: CatalogRegistrations) {
        self.sites = files.sites
        self.devices = files.devices
        self.addresses = files.addresses
        for site in registered.sites {
            if let place = files.places["site \(site.id)"] {
                self.report(
                    "site '\(site.id)' is registered and declared in \(place) as well; retire it here or remove the file",
                    zh: "站点“\(site.id)”已登记，又在 \(place) 中定义；请停用或删除该文件"
                )
            } else if self.sites.updateValue(site, forKey: site.id) != nil {
                self.report("site '\(site.id)' is registered twice", zh: "站点“\(site.id)”重复登记")
            }
        }
        let models = files.models.merging(DeviceModel.builtIn) { _, builtIn in builtIn }
        for device in registered.devices {
            if let place = files.places["device \(device.id)"] {
                self.report(
                    "device '\(device.id)' is registered and declared in \(place) as well; retire it here or remove it there",
                    zh: "设备“\(device.id)”已登记，又在 \(place) 中定义；请停用或从文件中删除"
                )
            } else if self.devices.updateValue(device, forKey: device.id) != nil {
                self.report("device '\(device.id)' is registered twice", zh: "设备“\(device.id)”重复登记")
            }
            if self.sites[device.site] == nil {
                self.report(
                    "device '\(device.id)' is at site '\(device.site)', which is neither registered nor in a file",
                    zh: "设备“\(device.id)”位于站点“\(device.site)”，该站点既未登记也不在文件中"
                )
            }
            guard let model = models[device.model] else {
                let known = models.keys.sorted().joined(separator: ", ")
                self.report(
                    "device '\(device.id)' is of model '\(device.model)', which has no file; there are \(known)",
                    zh: "设备“\(device.id)”的型号“\(device.model)”没有文件；现有 \(known)"
                )
                continue
            }
            if let message = model.zeroElevationProblem(of: device) {
                self.report("device '\(device.id)': \(message.en)", zh: "设备“\(device.id)”：\(message.zh)")
            }
        }
        for id in registered.accounts {
            guard let place = files.places["device \(id)"] else { continue }
            let message = DeviceImport.CellProblem.accountForMany(id).message
            self.problems.append(
                Problem(file: place.file, line: place.line, column: place.column, message: message.en, zh: message.zh)
            )
        }
        for device in registered.devices.sorted(by: { $0.id < $1.id }) { self.addAddress(of: device, files.places) }
    }

    /// Two devices with one foreign identity: a reading would go to either.
    ///
    /// Two that are registered were before this was refused; nobody could retire one if nothing started because of them.
    private mutating func addAddress(of device: Device, _ places: [String: Place]) {
        guard let rival = self.addresses.rival(of: device) else { return self.addresses.add(device) }
        guard let place = places["device \(rival.device)"] else { return }
        let message = rival.refusal(of: device.address, place: place.name)
        self.report("device '\(device.id)': \(message.en)", zh: "设备“\(device.id)”：\(message.zh)")
    }

    private mutating func report(_ message: String, zh: String) {
        self.problems.append(Problem(file: "registry", line: 0, column: 0, message: message, zh: zh))
    }
}

extension DeviceModel {
    /// What is wrong with a device's zero elevation; `nil` where it fits the model.
    ///
    /// A device without one is taken to report in the site's datum already: its zero elevation is 0.
    func zeroElevationProblem(of device: Device) -> LocalizedName? {
        let adds = (self.channels + self.optionalChannels).contains(where: \.addsZeroElevation)
        guard !adds, device.zeroElevationMeters != nil || !device.surveys.isEmpty else { return nil }
        return LocalizedName(
            zh: "填写了 zero_elevation_m，但型号“\(self.id)”不加零点高程；请用通道注明 zero: site 的型号",
            en:
                "zero_elevation_m is given, but model '\(self.id)' adds none; use a model whose channel says `zero: site`"
        )
    }
}
