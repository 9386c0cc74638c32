// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Whose each foreign identity is, in all the forms in which people write it.
struct AddressBook: Sendable {
    struct Owner: Hashable, Sendable {
        var device: String
        /// As it was registered.
        var address: String

        /// What is wrong with `address` for another device; `place` says where the owner is declared.
        func refusal(of address: String, place: LocalizedName?) -> LocalizedName {
            let written = address == self.address ? nil : self.address
            let zh = [place?.zh, written.map { "写作“\($0)”" }].compactMap(\.self).joined(separator: "，")
            let en = [place?.en, written.map { "written '\($0)'" }].compactMap(\.self).joined(separator: ", ")
            return LocalizedName(
                zh: "“\(address)”已是设备“\(self.device)”的地址\(zh.isEmpty ? "" : "（\(zh)）")；地址不能重复，请更正其中一个",
                en: "'\(address)' is the address of device '\(self.device)' already\(en.isEmpty ? "" : " (\(en))"); "
                    + "addresses are unique: correct one of the two"
            )
        }
    }

    private var owners: [String: Owner] = [:]

    func owner(of address: String) -> Owner? {
        ForeignAddress.forms(of: address).lazy.compactMap { self.owners[$0] }.first
    }

    /// Another device than `device` that has its address.
    func rival(of device: Device) -> Owner? {
        self.owner(of: device.address).flatMap { $0.device == device.id ? nil : $0 }
    }

    mutating func add(_ device: Device) {
        let owner = Owner(device: device.id, address: device.address)
        for form in ForeignAddress.forms(of: device.address) { self.owners[form] = owner }
    }

    mutating func remove(_ device: Device) {
        for form in ForeignAddress.forms(of: device.address) where self.owners[form]?.device == device.id {
            self.owners[form] = nil
        }
    }
}
