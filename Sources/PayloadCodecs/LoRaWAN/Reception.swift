// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// How well the best of the gateways heard an uplink.
struct Reception {
    private var rssi: Double?
    private var snr: Double?
    /// The earliest time at which a gateway or the network received it.
    private(set) var time: Timestamp?

    /// Reads a list of receptions, of which the strongest counts; `times` are names of members that hold a receive time.
    mutating func read(
        _ scanner: inout JSONScanner,
        _ keys: inout KeyTable,
        times: [String],
        _ bytes: Span<UInt8>
    ) throws(JSONError) {
        guard scanner.take(UInt8(ascii: "["), bytes) else {
            try scanner.skipValue(bytes, depth: 3)
            return
        }
        if scanner.take(UInt8(ascii: "]"), bytes) { return }
        repeat {
            guard scanner.peek(bytes) == UInt8(ascii: "{") else {
                try scanner.skipValue(bytes, depth: 4)
                continue
            }
            var (rssi, snr): (Double?, Double?) = (nil, nil)
            var isFirst = true
            while let name = try scanner.nextName(&isFirst, &keys, bytes) {
                switch name {
                case "rssi": rssi = try scanner.looseNumber(bytes, depth: 5)
                case "snr": snr = try scanner.looseNumber(bytes, depth: 5)
                default:
                    guard times.contains(name) else {
                        try scanner.skipValue(bytes, depth: 5)
                        continue
                    }
                    if let time = try scanner.timeValue(bytes) { self.time = min(self.time ?? time, time) }
                }
            }
            // A zero is left out: without rssi nothing is known of the reception.
            if let rssi, rssi > self.rssi ?? -.infinity { (self.rssi, self.snr) = (rssi, snr ?? 0) }
        } while try scanner.hasNext(before: UInt8(ascii: "]"), bytes)
    }

    /// Adds `signal_dbm` and `signal_to_noise_decibels`.
    func add(to message: inout DecodedMessage, at time: Timestamp?) {
        if let rssi { message.addOfNetwork("signal_dbm", rssi, at: time) }
        if let snr { message.addOfNetwork("signal_to_noise_decibels", snr, at: time) }
    }
}

extension DecodedMessage {
    /// Adds what the network knows of a device, under the name of its metric; what the device says itself goes before.
    mutating func addOfNetwork(_ metric: String, _ value: Double, at time: Timestamp?) {
        guard !self.readings.contains(where: { $0.key == metric }) else { return }
        self.readings.append(Reading(key: metric, value: value, time: time))
    }
}
