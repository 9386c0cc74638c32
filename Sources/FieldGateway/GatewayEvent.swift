// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// What happened at the gateway, for those who look after it.
package enum GatewayEvent: Hashable, Sendable {
    case listening(host: String, port: Int)
    case stationsKnown(Int)
    case stationsUnknown(reason: String)
    case opened(peer: String)
    case closed(peer: String, reason: CloseReason)
    case stationHeard(device: String, address: String, peer: String)
    case unknownStation(address: String)
    case damaged(peer: String, reason: String)
    case packetMissing(device: String, packet: Int, total: Int)
    case givenUp(device: String, missing: Int, total: Int)
    case brokerAway(reason: String)
    case brokerBack
    case deferred
    case refused(device: String, reason: String)
    case gap(device: String, symbol: String, from: Timestamp, to: Timestamp)
    case asked(device: String, symbol: String, hours: ClosedRange<Timestamp>)
    case filled(device: String, symbol: String, values: Int)
    case gapGivenUp(device: String, symbol: String)
    case clockOff(device: String, drift: Milliseconds)
    case clockSet(device: String)
    case clockSilent(device: String)
    case stateUnsaved(reason: String)
    case stopped(GatewayMetrics)

    /// The device that it is about.
    package var device: String? {
        switch self {
        case .stationHeard(let device, _, _), .packetMissing(let device, _, _), .givenUp(let device, _, _),
            .refused(let device, _), .gap(let device, _, _, _), .asked(let device, _, _), .filled(let device, _, _),
            .gapGivenUp(let device, _), .clockOff(let device, _), .clockSet(let device), .clockSilent(let device):
            device
        case .listening, .stationsKnown, .stationsUnknown, .opened, .closed, .unknownStation, .damaged, .brokerAway,
            .brokerBack, .deferred, .stateUnsaved, .stopped:
            nil
        }
    }

    /// The kind, for programs.
    package var name: String {
        switch self {
        case .listening: "listening"
        case .stationsKnown: "stations_known"
        case .stationsUnknown: "stations_unknown"
        case .opened: "opened"
        case .closed: "closed"
        case .stationHeard: "station_heard"
        case .unknownStation: "unknown_station"
        case .damaged: "damaged"
        case .packetMissing: "packet_missing"
        case .givenUp: "message_given_up"
        case .brokerAway: "broker_away"
        case .brokerBack: "broker_back"
        case .deferred: "deferred"
        case .refused: "refused"
        case .gap: "gap"
        case .asked: "asked"
        case .filled: "filled"
        case .gapGivenUp: "gap_given_up"
        case .clockOff: "clock_off"
        case .clockSet: "clock_set"
        case .clockSilent: "clock_silent"
        case .stateUnsaved: "state_unsaved"
        case .stopped: "stopped"
        }
    }

    /// Whether somebody should do something.
    package var isTrouble: Bool {
        switch self {
        case .stationsUnknown, .unknownStation, .damaged, .givenUp, .brokerAway, .deferred, .refused, .gapGivenUp,
            .clockSilent, .stateUnsaved:
            true
        case .closed(_, let reason): reason != .stopping
        case .listening, .stationsKnown, .opened, .stationHeard, .packetMissing, .brokerBack, .gap, .asked, .filled,
            .clockOff, .clockSet, .stopped:
            false
        }
    }
}
