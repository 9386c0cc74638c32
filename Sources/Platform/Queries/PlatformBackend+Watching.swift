// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import HTTPAPI
package import Telemetry

extension PlatformBackend {
    package func watchedDevice(_ id: String, org: String?) -> WatchedDevice? {
        let catalog = self.resolver.catalog
        guard let device = catalog.devices[id], let site = catalog.sites[device.site],
            org.map({ $0 == site.org }) ?? true
        else { return nil }
        return catalog.watchedDevice(id, seesAll: org == nil)
    }

    package func judged() async throws {
        try await self.processor.perform { _ in }
    }
}
