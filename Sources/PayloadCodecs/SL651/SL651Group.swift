// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What the values that come next in a body belong to: station, time, step, gate.
struct SL651Group {
    /// What stands for a time in a body.
    enum Time {
        case known(Timestamp)
        /// With words for the device's engineer.
        case invalid(String)
    }

    /// The station of the frame's header, or the last that the body named.
    private(set) var station: UInt64
    /// The observation time; before any the time of sending.
    private(set) var time: Time
    /// When the message was sent.
    private let sent: Time
    /// From one value to the next, where the body lists values of equal steps.
    var step: Milliseconds?
    /// The gate or group of gates (GN) that the openings behind it belong to.
    var gate: Int?
    let isSimulated: Bool
    var method: Telemetry.Method

    /// Beijing time, the time of all clocks of the standard.
    static let zoneMinutes = 480
    /// Two-digit years from here on are of the last century: what clocks that were never set say.
    static let pivot = 70

    /// Begins with the station of the header and the time of sending.
    ///
    /// Test reports (function 30) are for trying a station out and must not enter the records (6.6.4.3, H.4.8): their
    /// values are marked as simulated. What a person entered (35, 39) is `manual`.
    init(station: UInt64, sent: Time, function: UInt8) {
        self.station = station
        self.time = sent
        self.sent = sent
        self.isSimulated = function == 0x30
        self.method = function == 0x35 || function == 0x39 ? .manual : .measured
    }

    /// The values that follow are another station's, or the first.
    mutating func begin(station: UInt64, _ message: inout DecodedMessage) {
        let isNew = message.senders.isEmpty || station != self.station
        self.station = station
        self.step = nil
        self.gate = nil
        guard isNew else { return }
        message.senders.append(
            DecodedMessage.Sender(
                name: .address(SL651Frame.text(ofAddress: station)),
                firstReading: message.readings.count
            )
        )
    }

    /// The values that follow were observed at another time.
    mutating func begin(time: Time) {
        self.time = time
        self.step = nil
        self.gate = nil
    }

    /// Adds the value `index` steps behind the group's time.
    func add(_ key: String, _ value: Double, index: Int = 0, _ message: inout DecodedMessage) {
        switch self.time {
        case .known(let time):
            message.readings.append(
                Reading(
                    key: key,
                    value: value,
                    time: index == 0 ? time : time + Milliseconds(index) * (self.step ?? SL651Group.shortStep),
                    method: self.method,
                    isSimulated: self.isSimulated
                )
            )
        case .invalid(let detail):
            message.refuse(Refusal(reason: .timeInvalid, detail: detail, key: key))
        }
    }

    /// Dates the values of a group of `steps` again where its last step would lie after the time of sending: its time is then
    /// that of the last step, not of the first.
    ///
    /// Stations differ: an hour that ended at 02:00 has the time 01:05 from some and 02:00 from others. Clocks may
    /// be off by a step.
    func endBySending(steps: Int, from first: Int, _ message: inout DecodedMessage) {
        let step = self.step ?? SL651Group.shortStep
        let span = Milliseconds(steps - 1) * step
        guard case .known(let time) = self.time, case .known(let sent) = self.sent, time + span > sent + step else {
            return
        }
        for index in first..<message.readings.count {
            message.readings[index].time = message.readings[index].time.map { $0 - span }
        }
    }

    func refuse(_ key: String, _ detail: String, _ message: inout DecodedMessage) {
        message.refuse(Refusal(reason: .notANumber, detail: detail, key: key))
    }

    /// The bits of table 58 as readings.
    func add(state: UInt32, _ message: inout DecodedMessage) {
        for (index, bit) in SL651State.bits.enumerated() {
            let isSet = state >> UInt32(index) & 1 == 1
            self.add(bit.key, isSet != bit.isInverted ? 1 : 0, message: &message)
        }
    }

    private func add(_ key: String, _ value: Double, message: inout DecodedMessage) {
        self.add(key, value, index: 0, &message)
    }

    /// Adds one number of an element; what it means may depend on its form.
    func add(
        _ number: SL651Number,
        of element: SL651Element,
        key: String,
        index: Int = 0,
        _ message: inout DecodedMessage
    ) {
        switch number {
        case .value(let value):
            switch element.form {
            case .gateHeight where [444, 555, 888, 999].contains(value):
                if value == 444 {
                    self.add(key, 0, index: index, &message)
                } else {
                    let state = value == 555 ? "no gate" : value == 888 ? "lifted out of the water" : "open wide"
                    self.refuse(key, "\(Int(value)) stands for \"\(state)\" (E.3.2.2), not for a height", &message)
                }
            case .depthToWater where value == 444:
                self.refuse(key, "444 stands for a dry well (E.8.2.2), not for a depth", &message)
            case .clockHours:
                let hours = value.rounded(.towardZero)
                self.add(key, hours + ((value - hours) * 100).rounded() / 60, index: index, &message)
            default:
                self.add(key, value, index: index, &message)
            }
        case .missing:
            break
        case .invalid(let detail):
            self.refuse(key, detail, &message)
        }
    }

    /// The key of an element's values: its symbol, and behind a point the gate that it is about.
    func key(of element: SL651Element) -> String {
        guard let gate, element.form == .gateHeight || element.id == 0x0C || element.id == 0x31 else {
            return element.symbol
        }
        return "\(element.symbol).\(gate)"
    }

    /// The step inside the hourly groups DRP and DRZ.
    static let shortStep: Milliseconds = 5 * .minute
}

/// What stands where a number should be.
enum SL651Number {
    case value(Double)
    /// Filled with F (or A, as some stations do): there is no value.
    case missing
    case invalid(String)
}
