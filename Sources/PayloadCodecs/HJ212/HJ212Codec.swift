// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Packets of HJ 212-2017 (污染物在线监控（监测）系统数据传输标准), one or several in a payload.
///
/// The keys of the readings are those of the packet, `w01018-Rtd`, `w21003-Avg`, with `.1h` behind those of an hour and
/// `.1d` behind those of a day; the three-digit codes of the edition of 2005 become those of today, `W01018` is `w01018`. Times are
/// Beijing time. Means and extremes of an interval, whose time in the packet is its beginning, are given at its end. What the
/// station works out from them, amounts (`Cou`) and values at a reference content (`Zs…`), is no value of ours and left out. A value that the station itself marks as no measurement (`Flag` D, M, C, F, B) is
/// refused; one over the instrument's range (T) is suspect; one that a person entered (S) has the method `manual`.
package struct HJ212Codec: PayloadCodec {
    /// Payloads beyond this are refused unread: 1 MiB.
    package static let defaultLimit = 1 << 20

    /// What a device's model says of its dialect; holds for the payloads that follow.
    package var dialect = HJ212Dialect()

    private let limit: Int
    private let crc = CRC16()
    private var keys = KeyTable()
    private var stations = KeyTable()
    private var items: [HJ212Item] = []
    private var marks = HJ212Marks()
    private var times = HJ212Times()

    /// - Parameter limit: The longest payload that is read, in bytes.
    package init(limit: Int = Self.defaultLimit) {
        self.limit = limit
    }

    package mutating func decode(_ payload: Span<UInt8>, into message: inout DecodedMessage) {
        guard message.begin(payload, limit: self.limit) else { return }
        var position = 0
        do {
            repeat {
                let packet = try HJ212Packet(
                    payload,
                    at: position,
                    crc: self.crc,
                    takesModbus: self.dialect.takesModbusCheck
                )
                position = packet.extent.upperBound
                self.packet(packet, payload, &message)
            } while position < payload.count
        } catch {
            let detail = "byte \(error.offset): \(error.message)"
            guard position > 0 else {
                message.refuseWhole(.malformed, detail)
                return
            }
            // The packets before it stand for themselves.
            message.refuse(Refusal(reason: .malformed, detail: detail))
        }
    }

    private mutating func packet(_ packet: HJ212Packet, _ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        guard let interval = HJ212Interval(command: packet.command, dialect: self.dialect), packet.system != 91 else {
            return
        }
        guard let station = self.stations.text(of: packet.station, in: bytes), !station.isEmpty else {
            message.refuse(
                Refusal(reason: .malformed, detail: "the packet has no MN, which says whose values it holds")
            )
            return
        }
        let name = DecodedMessage.Sender.Name.address(station)
        if message.senders.last?.name != name {
            message.senders.append(DecodedMessage.Sender(name: name, firstReading: message.readings.count))
        }
        HJ212Item.read(bytes, packet.content, into: &self.items)
        let time = self.time(packet, bytes)
        self.marks.read(self.items, bytes)
        for item in self.items where item.kind == .value { self.value(item, time: time, interval, bytes, &message) }
    }

    /// The DataTime of the packet, or of the first of its message.
    private mutating func time(_ packet: HJ212Packet, _ bytes: Span<UInt8>) -> HJ212Item.Time {
        if let item = self.items.first(where: { $0.kind == .dataTime }) {
            let time = HJ212Item.time(bytes, item.value)
            if packet.total > 1, case .known(let known) = time {
                self.times.note(known, of: packet, bytes)
            }
            return time
        }
        if packet.total > 1, let known = self.times.time(of: packet, bytes) { return .known(known) }
        return .invalid("the packet has no DataTime=yyyyMMddHHmmss, which says when its values were measured")
    }

    private mutating func value(
        _ item: HJ212Item,
        time: HJ212Item.Time,
        _ interval: HJ212Interval,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) {
        guard let key = self.key(item, interval, bytes) else {
            message.refuse(Refusal(reason: .malformed, detail: "byte \(item.code.lowerBound): a code that is no text"))
            return
        }
        guard let number = HJ212Item.number(bytes, item.value) else {
            let shown = HJ212Item.shown(bytes, item.value)
            message.refuse(Refusal(reason: .notANumber, detail: "\"\(shown)\" is no number", key: key))
            return
        }
        var reading = Reading(key: key, value: number)
        var moment = time
        var isSampleTime = false
        let marks = self.marks[item, bytes]
        if let flag = marks.flag, let refusal = HJ212Flag.apply(bytes, flag, to: &reading) {
            message.refuse(Refusal(reason: .notANumber, detail: refusal, key: key))
            return
        }
        if let sampleTime = marks.sampleTime {
            moment = HJ212Item.time(bytes, sampleTime)
            isSampleTime = true
        }
        switch moment {
        case .known(let known):
            reading.time = isSampleTime ? known : known + interval.length
            message.readings.append(reading)
        case .invalid(let detail):
            message.refuse(Refusal(reason: .timeInvalid, detail: detail, key: key))
        }
    }

    /// `w01018-Rtd`, of older codes, too.
    private mutating func key(_ item: HJ212Item, _ interval: HJ212Interval, _ bytes: Span<UInt8>) -> String? {
        guard var key = self.keys.text(of: item.code.lowerBound..<item.field.upperBound, in: bytes) else { return nil }
        if item.hasCapital(bytes) { key = key.prefix(1).lowercased() + key.dropFirst() }
        guard item.code.count == 3, let code = HJ212Codec.presentCodes[String(key.prefix(3))] else {
            return interval.suffix.isEmpty ? key : key + interval.suffix
        }
        return code + key.dropFirst(3) + interval.suffix
    }

    private static let presentCodes: [String: String] = Dictionary(
        uniqueKeysWithValues: HJ212Factor.all.filter { !$0.formerCode.isEmpty }.map { ($0.formerCode, $0.code) }
    )
}

/// What commands carry values, and for how long a span each stands.
struct HJ212Interval {
    /// From the time in the packet, the beginning, to the end of what the values stand for.
    let length: Milliseconds
    /// Behind the keys of its values, so that those of an hour and of a day are two series.
    let suffix: String

    /// Nil for commands without values: questions, answers, signs of life.
    init?(command: Int, dialect: HJ212Dialect) {
        switch command {
        case 2011, 2021: (self.length, self.suffix) = (0, "")
        case 2051: (self.length, self.suffix) = (dialect.minuteInterval, "")
        case 2061: (self.length, self.suffix) = (.hour, ".1h")
        case 2031, 2041: (self.length, self.suffix) = (.day, ".1d")
        default: return nil
        }
    }
}
