// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

extension Catalog {
    /// The series to which a device's zero is added.
    package func seriesWithZero(of device: Device) -> [Labels] {
        guard let model = self.models[device.model] else { return [] }
        return (model.channels + model.optionalChannels).filter(\.addsZeroElevation).map { $0.labels(at: device.site) }
    }
}
