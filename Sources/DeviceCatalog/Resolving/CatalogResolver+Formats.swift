// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// What decoders of payloads ask the catalogue.
extension CatalogResolver {
    /// The id of the device with a foreign identity; nil where there is none.
    package func device(address: String) -> String? { self.catalog.device(address: address)?.id }

    /// The device that others call by its id, its foreign identity, or a name that no other device has.
    package func device(called name: String) -> NamedDevice { self.catalog.device(called: name) }

    /// Where a device's own frames hold its values; nil where its model does not say it.
    package func payloadLayout(of device: String) -> PayloadLayout? { self.catalog.plans[device]?.payload }

    /// Whether a device has, or may gain, a channel with a key; true for devices that are not known, which refuse all.
    package func takes(_ key: String, of device: String) -> Bool {
        guard let plan = self.catalog.plans[device] else { return true }
        return plan.unit(of: key) != nil
    }

    /// The key of a device's only channel of a metric; nil where it has none, or several.
    package func key(ofMetric metric: String, of device: String) -> String? {
        self.catalog.plans[device]?.key(ofMetric: metric)
    }

    /// Converts values whose payload names a unit to the units that the device's channels expect.
    ///
    /// There is a unit for each reading, nil where the channel's own is meant. Readings whose unit measures something else
    /// than their channel are taken out; the refusals say why.
    package func fit(_ readings: inout [Reading], to units: [Unit?], of device: String) -> [Refusal] {
        guard let plan = self.catalog.plans[device], units.count == readings.count else { return [] }
        var refusals: [Refusal] = []
        for index in readings.indices.reversed() {
            let reading = readings[index]
            guard let unit = units[index], let expected = plan.unit(of: reading.key), unit != expected else { continue }
            let canonical = Unit.all.first { $0.suffix == expected.canonical } ?? .dimensionless
            guard let fitting = unit.measuring(canonical) else {
                refusals.append(.wrongUnit(reading, unit, expected: expected))
                readings.remove(at: index)
                continue
            }
            let value = expected.value(reading.value, in: fitting)
            readings[index].value = abs(value) < 4e6 ? (value * 1e9).rounded() / 1e9 : value
        }
        return refusals.reversed()
    }
}
