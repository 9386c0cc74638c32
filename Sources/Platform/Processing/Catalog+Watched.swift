// poyang
// SPDX-License-Identifier: Apache-2.0

package import DeviceCatalog
package import EarlyWarning
import Telemetry

extension Catalog {
    /// The registered channels of a site, or of all, as the rules see them.
    @Sendable package func watchedChannels(at site: String?) -> [WatchedChannel] {
        (site.map { [$0] } ?? self.sites.keys.sorted()).flatMap(self.registeredChannels)
            .map { WatchedChannel(series: $0.series.labels, schedule: $0.schedule) }
    }
}
