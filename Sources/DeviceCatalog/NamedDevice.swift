// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Whom a name means that a gateway, a network server or an edge node uses for a device.
package enum NamedDevice: Hashable, Sendable {
    /// The device with this id.
    case known(String)
    case unknown
    /// Devices of several orgs have it as their id, address or name: whose the readings are nobody can tell, and one org
    /// must not draw the readings of another to itself by a name. With the refusal of one value.
    case contested(Refusal)
}

extension Catalog {
    /// The device that others call by its id, by its foreign identity, or by a name that no other device has, in this
    /// order; of devices of several orgs none.
    package func device(called name: String) -> NamedDevice {
        if let ids = self.contestedNames[name] { return .contested(.contested(name, between: ids)) }
        let found = self.devices[name]?.id ?? self.device(address: name)?.id ?? self.devicesByName[name]
        return found.map { .known($0) } ?? .unknown
    }

    /// The ids and names that mean devices of several orgs, with the ids of these devices; `addresses` are their
    /// foreign identities, `sites` tell the orgs.
    static func contestedNames(
        sites: [String: Site],
        devices: [String: Device],
        addresses: AddressBook
    ) -> [String: [String]] {
        let named = Dictionary(grouping: devices.values.filter { !$0.name.isEmpty }, by: \.name)
        var contested: [String: [String]] = [:]
        for text in Set(devices.keys).union(named.keys) {
            var meant = Set((named[text] ?? []).map(\.id))
            if devices[text] != nil { meant.insert(text) }
            if let owner = addresses.owner(of: text) { meant.insert(owner.device) }
            guard meant.count > 1 else { continue }
            let orgs = Set(meant.map { devices[$0].flatMap { sites[$0.site]?.org } ?? "" })
            if orgs.count > 1 { contested[text] = meant.sorted() }
        }
        return contested
    }
}
