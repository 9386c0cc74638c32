// poyang
// SPDX-License-Identifier: Apache-2.0

package import DeviceCatalog
package import Telemetry

/// Knows the devices: gives each reading its series, or says why it has none.
package protocol ReadingResolver: AnyObject, Sendable {
    /// Resolves the readings of one message.
    ///
    /// - Parameters:
    ///   - device: The id in the topic.
    ///   - readings: Its values; at least one.
    ///   - receivedAt: Time of the readings that have none of their own.
    ///   - resolved: Accepted readings are appended.
    /// - Returns: What was refused, in canonical words; an unknown device is one refusal for all values. The number of
    ///   values resolved and refused together is the number of readings given.
    func resolve(
        device: String,
        readings: [Reading],
        receivedAt: Timestamp,
        into resolved: inout [ResolvedReading]
    ) -> [Refusal]

    /// Takes back what is remembered of readings that could not be committed, and will come again.
    func forget(_ readings: [ResolvedReading])

    /// Why a payload that names `address` as its sender's is not the device's; nil where it may be, and for devices that
    /// are not known.
    func mismatch(of address: String, with device: String) -> Refusal?

    /// How a device's packets of HJ 212 are to be read.
    func hj212Dialect(of device: String) -> HJ212Dialect

    /// The id of the device with a foreign identity; nil where there is none.
    func device(address: String) -> String?

    /// The device that others call by its id, its foreign identity, or a name that no other device has.
    func device(called name: String) -> NamedDevice

    /// Where a device's own frames hold its values; nil where its model does not say it.
    func payloadLayout(of device: String) -> PayloadLayout?

    /// Whether a device has, or may gain, a channel with a key; true for devices that are not known.
    func takes(_ key: String, of device: String) -> Bool

    /// The key of a device's only channel of a metric; nil where it has none, or several.
    func key(ofMetric metric: String, of device: String) -> String?

    /// Takes notice of what was said of a device's firmware.
    ///
    /// - Returns: Why it was not: the device is not registered.
    func note(_ report: FirmwareReport, of device: String, receivedAt: Timestamp) -> Refusal?

    /// Takes notice of what a device said of its connection.
    ///
    /// - Returns: Why it was not: the device is not registered.
    func note(_ connection: DeviceConnection.State, of device: String, receivedAt: Timestamp) -> Refusal?

    /// Converts values whose payload names a unit to the units that the device's channels expect; those that do not fit
    /// are taken out, and the refusals say why.
    func fit(_ readings: inout [Reading], to units: [Unit?], of device: String) -> [Refusal]
}

extension CatalogResolver: ReadingResolver {}
