// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Refusal {
    static func unknownDevice(_ device: String, values: Int) -> Refusal {
        Refusal(
            reason: .unknownDevice,
            detail: "no device '\(device)' is registered; register it (poyang devices register) or correct the topic",
            values: values
        )
    }

    static func unknownChannel(_ reading: Reading, of plan: DevicePlan) -> Refusal {
        let advice: String
        if plan.takesAnyMetric {
            let hint = MetricName.nearest(to: reading.key).map { "; did you mean '\($0)'?" } ?? ""
            advice =
                "model \(plan.device.model) takes metric names with their unit as keys, such as water_level_meters"
                + " or soil_moisture_percent, at most \(DevicePlan.genericKeyLimit) of them" + hint
        } else {
            let known = (plan.channels.map(\.key) + plan.gainable.byKey.keys).sorted()
            let listed = known.prefix(60).joined(separator: ", ")
            let rest = known.count > 60 ? " and \(known.count - 60) more" : ""
            advice = "model \(plan.device.model) has the keys: \(listed)\(rest)"
        }
        let key = String(reading.key.prefix(100))
        return Refusal(reason: .unknownChannel, detail: "key '\(key)' is not known; \(advice)", key: reading.key)
    }

    static func notANumber(_ reading: Reading) -> Refusal {
        Refusal(
            reason: .notANumber,
            detail: "the value is \(reading.value); leave the key out when there is no value",
            key: reading.key
        )
    }

    static func outOfRange(_ reading: Reading, _ channel: ChannelPlan) -> Refusal {
        let isLow = reading.value < channel.minimum
        let bound = isLow ? "below the minimum \(channel.minimum)" : "above the maximum \(channel.maximum)"
        let unit = channel.unit.symbol.isEmpty ? "" : " " + channel.unit.symbol
        return Refusal(
            reason: .outOfRange,
            detail:
                "\(reading.value)\(unit) is \(bound)\(unit) of the model (in the payload's unit, before zero is added)",
            key: reading.key
        )
    }

    static func wrongUnit(_ reading: Reading, _ unit: Unit, expected: Unit) -> Refusal {
        Refusal(
            reason: .malformed,
            detail: "the payload gives \(reading.value) \(unit.symbol), the channel is in "
                + "\(expected.symbol.isEmpty ? "bare numbers" : expected.symbol); correct the one or the other",
            key: reading.key
        )
    }

    static func timeInvalid(_ reading: Reading, _ time: Timestamp) -> Refusal {
        Refusal(
            reason: .timeInvalid,
            detail: "the time \(time) is before 2000; set the device's clock, send milliseconds (not seconds) or leave "
                + "`ts` out",
            key: reading.key
        )
    }

    static func timeFuture(
        _ reading: Reading,
        _ time: Timestamp,
        receivedAt: Timestamp,
        skew: Milliseconds
    ) -> Refusal {
        Refusal(
            reason: .timeFuture,
            detail:
                "the time \(time) is more than \(PrometheusDuration.text(skew)) after its receipt at \(receivedAt); "
                + "set the device's clock",
            key: reading.key
        )
    }

    static func wrongAddress(_ address: String, of plan: DevicePlan, owner: String?) -> Refusal {
        let advice =
            owner.map { "that is '\($0)'; publish to its topic" }
            ?? "it is registered with '\(plan.device.address)'; correct the one or the other"
        return Refusal(
            reason: .wrongAddress,
            detail: "the payload is of the address \(address.prefix(80)), the topic of '\(plan.device.id)': \(advice)"
        )
    }

    /// One value of nobody knows whom.
    static func contested(_ name: String, between devices: [String]) -> Refusal {
        let listed = devices.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
        let rest = devices.count > 5 ? " and \(devices.count - 5) more" : ""
        return Refusal(
            reason: .wrongAddress,
            detail:
                "'\(name.prefix(80))' is id, address or name of devices of several orgs (\(listed)\(rest)), so nobody "
                + "can tell whose readings these are; give the device an address of its own (DevEUI, "
                + "poyang devices register --address) and let the sender use it, or give it a name that no other has"
        )
    }

    /// No reason of its own exists: the reading went to the wrong place, a device that is for real readings.
    static func simulated(_ reading: Reading, device: String) -> Refusal {
        Refusal(
            reason: .wrongAddress,
            detail: "a simulated reading for '\(device)', which is no test device; start serve with --exercise, mark "
                + "the device `test: true`, or publish to a test device",
            key: reading.key
        )
    }
}
