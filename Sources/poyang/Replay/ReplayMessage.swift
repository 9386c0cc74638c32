// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// One telemetry message as a recorded device would have sent it.
struct ReplayMessage: Hashable, Sendable {
    struct Value: Hashable, Sendable {
        let key: String
        let value: Double
        let method: Telemetry.Method
    }

    let device: String
    let time: Timestamp
    let values: [Value]

    var topic: String { "poyang/v1/devices/\(self.device)/telemetry" }

    /// `{"ts":ms,"values":{…},"method":{…},"simulated":true}`; the mark is always there, so that no replay looks real.
    var payload: String {
        let values = self.values.map { "\($0.key.jsonString):\($0.value)" }.joined(separator: ",")
        let methods = self.values.filter { $0.method != .measured }
            .map { "\($0.key.jsonString):\"\($0.method)\"" }.joined(separator: ",")
        let method = methods.isEmpty ? "" : ",\"method\":{\(methods)}"
        return "{\"ts\":\(self.time.milliseconds),\"values\":{\(values)}\(method),\"simulated\":true}"
    }

    /// The messages of one row: one per device, in the order of the map.
    static func messages(of row: RecordedRow, map: RecordingMap) -> [ReplayMessage] {
        var devices: [String] = []
        var values: [String: [Value]] = [:]
        for reading in row.values {
            guard case .channel(let device, let key) = map.columns[reading.column].target else { continue }
            if values[device] == nil { devices.append(device) }
            values[device, default: []].append(Value(key: key, value: reading.value, method: reading.method))
        }
        return devices.map { ReplayMessage(device: $0, time: row.time, values: values[$0] ?? []) }
    }
}
