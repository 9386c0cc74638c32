// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Which device of a site feeds a series that several of them measure.
///
/// The first that was there has the plain series, so that it never gains a label. What any other measures, too, is a
/// series of its own with the label `sensor`: the device's id.
struct SeriesOwners: Sendable {
    private var declared: [Labels: String] = [:]
    /// By device.
    private let sites: [String: String]

    init(_ devices: some Collection<Device>) {
        self.sites = Dictionary(devices.map { ($0.id, $0.site) }) { first, _ in first }
    }

    /// The series of a channel that `device` declares; devices are asked about in the order in which they came.
    mutating func claim(_ labels: Labels, for device: String) -> Labels {
        guard let owner = self.declared[labels], owner != device else {
            self.declared[labels] = device
            return labels
        }
        let own = labels.ofTwin(device)
        self.declared[own] = device
        return own
    }

    /// Takes a series that follows from one of `device`, unless another has it.
    mutating func claimIfFree(_ labels: Labels, for device: String) {
        if self.declared[labels] == nil { self.declared[labels] = device }
    }

    /// The series of a channel that `device` gains with its first reading.
    ///
    /// Of those that gain it the first to report has the plain series, and keeps it over a start. Who has stored a series
    /// of its own keeps that.
    func gain(_ labels: Labels, for device: String, _ keys: SeriesKeyTable) -> SeriesKey {
        let own = labels.ofTwin(device)
        let isPlain =
            (self.declared[labels] ?? device) == device && !keys.hasLearned(own)
            && keys.gain(keys.key(for: labels), device: device, isPresent: { self.sites[$0] == labels.site })
        if isPlain { return keys.key(for: labels) }
        let key = keys.key(for: own)
        _ = keys.gain(key, device: device)
        return key
    }
}

extension Labels {
    private static let sensor = "sensor"

    /// The device that the labels name, with what its channel adds behind a stroke, which no id holds; nil where they
    /// name none.
    var twin: String? { self.value(of: Self.sensor) }

    /// The labels of the same channel of a second device.
    func ofTwin(_ device: String) -> Labels {
        self.with(Self.sensor, self.twin.map { "\(device)/\($0)" } ?? device)
    }

    /// What ``ofTwin(_:)`` made the labels of; they themselves where they are of no twin that is this device.
    func plain(ofTwin device: String) -> Labels {
        guard let twin = self.twin else { return self }
        if twin == device { return self.removing(Self.sensor) }
        guard twin.hasPrefix(device + "/") else { return self }
        return self.with(Self.sensor, String(twin.dropFirst(device.count + 1)))
    }
}
