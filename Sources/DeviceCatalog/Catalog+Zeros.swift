// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

extension Catalog {
    /// The series to which a device's zero is added, and whether another device of the site feeds it, too.
    package func seriesWithZero(of device: Device) -> [(series: Labels, isShared: Bool)] {
        guard let model = self.models[device.model] else { return [] }
        let others = (self.entries[device.site]?.plans ?? []).filter { $0.device.id != device.id }
        return (model.channels + model.optionalChannels).filter(\.addsZeroElevation)
            .map { channel in
                let series = channel.labels(at: device.site)
                let isShared = others.contains { plan in
                    plan.channels.contains { $0.series.labels == series }
                        || plan.gainable.channel(feeding: series) != nil
                }
                return (series, isShared)
            }
    }
}
