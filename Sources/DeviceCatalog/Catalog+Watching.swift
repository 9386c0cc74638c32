// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

extension Catalog {
    /// By what the messages of a device are recognised; nil where there is no such device.
    ///
    /// `seesAll` says whether those who watch may see what is of other orgs.
    package func watchedDevice(_ id: String, seesAll: Bool) -> WatchedDevice? {
        guard let plan = self.plans[id] else { return nil }
        var names = plan.addresses.union([id])
        if !plan.device.name.isEmpty { names.insert(plan.device.name) }
        return WatchedDevice(
            id: id,
            site: plan.device.site,
            names: Set(names.map { $0.uppercased() }),
            series: Set(
                self.registeredChannels(at: plan.device.site).filter { $0.device == id }.map(\.series.labels)
            ),
            seesAll: seesAll
        )
    }
}
