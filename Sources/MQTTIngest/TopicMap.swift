// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry

/// What a topic means: whose message it is and in which format.
struct TopicMap: Sendable {
    enum Format: Hashable, Sendable {
        case nativeJSON
        case sl651
        case hj212
        case senML
        /// Whether the device is connected.
        case status
        /// The payload names devices and holds values of each.
        case gatewayTelemetry
        case chirpStack(ChirpStackCodec.Event)
        case thingsStack
        case sparkplug(SparkplugTopic)
        /// Not decoded; with advice.
        case unspoken(String)
    }

    struct Route: Sendable {
        /// Empty where the topic names no device; of network servers the name or DevEUI that they use.
        var device: String
        var format: Format
    }

    /// Everything that CONTRACTS promises to listen to.
    static let filters = [
        "poyang/v1/devices/+/telemetry", "poyang/v1/devices/+/senml", "poyang/v1/devices/+/sl651",
        "poyang/v1/devices/+/hj212", "poyang/v1/devices/+/status", "v1/gateway/telemetry", "v1/devices/+/telemetry",
        "application/+/device/+/event/up", "application/+/device/+/event/status", "v3/+/devices/+/up", "spBv1.0/#",
    ]

    /// Reads a topic.
    static func route(_ topic: String) -> Route {
        let parts = topic.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 5 where parts[0] == "poyang" && parts[1] == "v1" && parts[2] == "devices":
            return Route(device: parts[3], format: self.ownFormat(parts[4], device: parts[3]))
        case 3 where topic == "v1/gateway/telemetry":
            return Route(device: "", format: .gatewayTelemetry)
        case 4 where topic == "v1/devices/me/telemetry":
            return Route(
                device: "",
                format: .unspoken(
                    "the topic v1/devices/me/telemetry does not say which device sent this; let the broker rewrite it to "
                        + "v1/devices/{device}/telemetry, or publish to poyang/v1/devices/{device}/telemetry"
                )
            )
        case 4 where parts[0] == "v1" && parts[1] == "devices" && parts[3] == "telemetry":
            return Route(device: parts[2], format: self.ownFormat("telemetry", device: parts[2]))
        case 6 where parts[0] == "application" && parts[2] == "device" && parts[4] == "event":
            guard let event = ChirpStackCodec.Event(rawValue: parts[5]) else {
                return Route(device: parts[3], format: .unspoken("of ChirpStack's events, up and status hold values"))
            }
            return Route(device: parts[3], format: .chirpStack(event))
        case 5 where parts[0] == "v3" && parts[2] == "devices" && parts[4] == "up":
            return Route(device: parts[3], format: .thingsStack)
        default:
            if parts[0] == "spBv1.0" {
                guard let known = SparkplugTopic(topic) else {
                    let form = "spBv1.0/{group}/{NBIRTH, NDATA, DBIRTH, DDATA …}/{edge node}[/{device}]"
                    return Route(device: "", format: .unspoken("the topic is none of Sparkplug B: \(form)"))
                }
                return Route(device: known.name, format: .sparkplug(known))
            }
            return Route(device: "", format: .unspoken("no format is known for the topic \(topic.prefix(200))"))
        }
    }

    private static func ownFormat(_ name: String, device: String) -> Format {
        guard Identifier.isValid(device) else {
            return .unspoken(
                "\"\(device.prefix(80))\" in the topic is not a device id: letters, digits and . _ : - only, at most 64"
            )
        }
        switch name {
        case "telemetry": return .nativeJSON
        case "senml": return .senML
        case "status": return .status
        case "sl651": return .sl651
        case "hj212": return .hj212
        default: return .unspoken("no format is known by the name \(name.prefix(80))")
        }
    }
}
