// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry

/// What the gateway knows of one station.
final class StationState {
    /// Something the station was asked and has not answered.
    struct OpenQuestion {
        enum Subject: Equatable {
            case period(ObservationLog.Question)
            /// How often the clock is still to be set.
            case clock(left: Int)
        }

        var subject: Subject
        var attempts: Int
        var deadline: Timestamp
    }

    let address: UInt64
    var device: String
    var interval: Milliseconds?
    var isKnown: Bool
    var log: ObservationLog
    var known = KnownMessages()
    /// The connection that it spoke over last.
    weak var link: StationLink?
    /// How it writes and what it calls the centre: taken from its newest frame.
    var newestFrame: SL651Frame?
    var heardAt = Timestamp.distantPast
    /// Messages of it that wait for the broker.
    var waiting = 0
    var open: OpenQuestion?
    /// How far its clock is behind ours, by its newest message.
    var drift: Milliseconds = 0
    var clockSetAt = Timestamp.distantPast
    /// It was told to stay on line, and not yet that it may go.
    var isHeld = false
    /// The newest message that was answered with ESC.
    var held: (frame: SL651Frame, serial: UInt16)?

    init(address: UInt64, station: GatewayStation?, log: ObservationLog?) {
        self.address = address
        self.device = station?.device ?? SL651Frame.text(ofAddress: address)
        self.isKnown = station != nil
        self.log = log ?? ObservationLog()
        self.update(station)
    }

    func update(_ station: GatewayStation?) {
        self.isKnown = station != nil
        guard let station else { return }
        self.device = station.device
        self.interval = station.interval
        if self.log.newest.isEmpty, self.log.before == nil { self.log.before = station.lastSeen }
    }
}
