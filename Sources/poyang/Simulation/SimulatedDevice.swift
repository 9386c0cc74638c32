// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// One device of a simulation: what it measures of the landscape, and what is wrong with it.
struct SimulatedDevice {
    /// A key of its payload, and what stands behind it.
    struct Channel: Hashable {
        var metric: String
        var key: String
        var unit: Unit
        /// In the payload's unit.
        var range: ClosedRange<Double>
        /// Added by the service, in the canonical unit: the device shows so much less.
        var zero: Double
        /// `20cm`, where the series has a depth.
        var depth: String
    }

    let id: String
    let site: SimulatedSite
    let interval: Milliseconds
    let channels: [Channel]
    let fault: SimulatedFault?
    private let seed: UInt64
    /// The counter of rain when the device reported last, for depths of the interval.
    private var lastRainTotal: Double?
    private var stuckValues: [String: Double] = [:]

    init(
        id: String,
        site: SimulatedSite,
        interval: Milliseconds,
        channels: [Channel],
        fault: SimulatedFault?,
        seed: UInt64
    ) {
        self.id = id
        self.site = site
        self.interval = interval
        self.channels = channels
        self.fault = fault
        self.seed = seed
    }

    /// What it sends at a moment: one message, none while it is silent, two of those that send all twice.
    mutating func messages(at time: Timestamp, _ landscape: Landscape, _ weather: Weather) -> [ReplayMessage] {
        let sinceStart = time - weather.start
        if self.fault?.kind == .silence, let fault, fault.isOn(sinceStart) { return [] }
        var values: [ReplayMessage.Value] = []
        let sense = SimulatedSenses(landscape: landscape, weather: weather, time: time, device: self.id)
        // A bucket tips at every tenth of a millimetre.
        let tipped = (landscape.rainTotal * 10).rounded(.down) / 10
        let rainSince = tipped - (self.lastRainTotal ?? tipped)
        self.lastRainTotal = tipped
        for channel in self.channels {
            guard let truth = sense.value(of: channel, rainSince: rainSince) else { continue }
            var value = (truth - channel.zero - channel.unit.offset) / channel.unit.factor
            if let fault, fault.isOn(sinceStart) {
                switch fault.kind {
                case .stuck:
                    value = self.stuckValues[channel.key] ?? value
                    self.stuckValues[channel.key] = value
                case .spikes:
                    var numbers = SeededNumbers(seed: self.seed, "\(self.id)/\(channel.key)/spike", time.milliseconds)
                    if numbers.number(0...1) < 0.05 {
                        let width = min(channel.range.upperBound - channel.range.lowerBound, 4 * abs(value) + 5)
                        value += width * (numbers.number(0...1) < 0.5 ? -0.5 : 0.5)
                    }
                case .silence, .clockDrift, .duplicates: break
                }
            } else {
                self.stuckValues[channel.key] = nil
            }
            value = min(max(value, channel.range.lowerBound), channel.range.upperBound)
            let places = SimulatedSenses.places(of: channel.metric)
            let shown = (value * places).rounded() / places
            values.append(ReplayMessage.Value(key: channel.key, value: shown, method: .measured))
        }
        guard !values.isEmpty else { return [] }
        let message = ReplayMessage(device: self.id, time: time + self.clockError(sinceStart), values: values)
        return self.fault?.kind == .duplicates ? [message, message] : [message]
    }

    /// A clock that drifts loses up to two minutes a day.
    private func clockError(_ sinceStart: Milliseconds) -> Milliseconds {
        guard let fault, fault.kind == .clockDrift else { return 0 }
        let drift = fault.strength * Double(sinceStart) / Double(Milliseconds.day) * 120
        return -Milliseconds(((180 + drift) * 1000).rounded())
    }
}

/// What is wrong with a device of the profile `faults`.
struct SimulatedFault: Hashable {
    enum Kind: CaseIterable {
        /// Nothing comes for a time.
        case silence
        /// The same value again and again.
        case stuck
        /// Values that no water and no weather makes, inside of what the sensor can show.
        case spikes
        /// A clock that is minutes behind, and more every day.
        case clockDrift
        /// Each message comes twice.
        case duplicates
    }

    var kind: Kind
    /// 0 to 1.
    var strength: Double

    /// The fault of a device; nil for six of ten, and in all other profiles.
    init?(of device: String, seed: UInt64, profile: SimulationProfile) {
        guard profile == .faults else { return nil }
        var numbers = SeededNumbers(seed: seed, device + "/fault")
        guard numbers.number(0...1) < 0.4 else { return nil }
        self.kind = Kind.allCases[Int(numbers.number(0...1) * Double(Kind.allCases.count)) % Kind.allCases.count]
        self.strength = numbers.number(0.3...1)
    }

    /// Silence and stuck values come in spans of hours, the others are always there.
    func isOn(_ sinceStart: Milliseconds) -> Bool {
        switch self.kind {
        case .silence, .stuck:
            sinceStart % (8 * .hour) > Milliseconds(Double(6 * Milliseconds.hour) * (1 - self.strength))
        case .spikes, .clockDrift, .duplicates: true
        }
    }
}
