// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

extension Catalog {
    /// The series to which a device's zero is added.
    package func seriesWithZero(of device: Device) -> [Labels] {
        guard let model = self.models[device.model], let plan = self.plans[device.id] else { return [] }
        let declared = zip(model.channels, plan.channels).filter(\.0.addsZeroElevation).map(\.1.series.labels)
        let gained = model.optionalChannels.filter(\.addsZeroElevation).map { $0.labels(at: device.site) }
        return declared + gained.flatMap { [$0, $0.ofTwin(device.id)] }
    }
}
