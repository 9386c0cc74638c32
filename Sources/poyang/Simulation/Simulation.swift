// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The messages of simulated devices in the order of time; the same for the same seed, beginning and devices.
struct Simulation {
    private let weather: Weather
    private var devices: [SimulatedDevice]
    private var landscapes: [String: Landscape] = [:]
    /// When each device is due, the soonest first.
    private var due: [(time: Timestamp, device: Int)] = []
    private let interval: Milliseconds?

    /// - Parameters:
    ///   - devices: Who takes part.
    ///   - weather: With the beginning.
    ///   - interval: How often each reports; nil for its own interval.
    init(_ devices: [SimulatedDevice], weather: Weather, interval: Milliseconds? = nil) {
        self.devices = devices
        self.weather = weather
        self.interval = interval
        for (index, device) in devices.enumerated() {
            if self.landscapes[device.site.id] == nil {
                self.landscapes[device.site.id] = Landscape(device.site, weather: weather)
            }
            let span = interval ?? device.interval
            // Not all at once; but at whole seconds, as stations do.
            var numbers = SeededNumbers(seed: weather.seed, device.id + "/phase")
            let phase = Milliseconds(numbers.number(0...1) * Double(span)) / .second * .second
            self.due.append((weather.start + phase, index))
        }
        self.due.sort { ($0.time, $0.device) < ($1.time, $1.device) }
    }

    /// When the next message is due; nil without devices.
    var nextTime: Timestamp? { self.due.first?.time }

    /// The next messages of one device, none where it is silent.
    mutating func next() -> [ReplayMessage] {
        guard let (time, index) = self.due.first else { return [] }
        let span = max(1, self.interval ?? self.devices[index].interval)
        self.reschedule(time + span, index)
        let site = self.devices[index].site.id
        guard var landscape = self.landscapes.removeValue(forKey: site) else { return [] }
        landscape.advance(to: time)
        let messages = self.devices[index].messages(at: time, landscape, self.weather)
        self.landscapes[site] = landscape
        return messages
    }

    /// The first of the heap gets a later time and sinks to its place.
    private mutating func reschedule(_ time: Timestamp, _ device: Int) {
        self.due[0] = (time, device)
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < self.due.count {
                let (left, right) = (self.due[child], self.due[least])
                if (left.time, left.device) < (right.time, right.device) { least = child }
            }
            guard least != place else { return }
            self.due.swapAt(place, least)
            place = least
        }
    }
}
