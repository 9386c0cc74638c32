// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Frames from the centre to a station: confirmations of modes M2 and M3, questions and the clock of mode M4.
///
/// ## Usage
/// ```swift
/// let frame = try SL651FrameReader().frame(in: bytes)
/// let downlink = SL651Downlink(answering: frame)
/// socket.write(downlink.confirm(serial: serial, at: now, staysOnLine: true, of: frame))
/// ```
package struct SL651Downlink: Sendable {
    private let encoding: SL651Frame.Encoding
    private let station: UInt64
    private let centre: UInt8
    private let password: UInt16
    private let crc = CRC16()

    package init(station: UInt64, centre: UInt8, password: UInt16, encoding: SL651Frame.Encoding = .binary) {
        self.encoding = encoding
        self.station = station
        self.centre = centre
        self.password = password
    }

    /// Speaks to the station that sent a frame, in its encoding and with its password.
    package init(answering frame: SL651Frame) {
        self.init(station: frame.station, centre: frame.centre, password: frame.password, encoding: frame.encoding)
    }

    /// Confirms a frame, or all packets of the message whose last one it is (6.3.1.2 b, c).
    ///
    /// `serial` is that of the message, which only its first packet says; `time` is the time of sending and sets no clock.
    /// With ESC (`staysOnLine`) the station waits ten minutes for questions, with EOT it hangs up; a message behind which
    /// the station has announced another (ETB) is answered with ACK (table 10).
    package func confirm(
        _ frame: SL651Frame,
        serial: UInt16,
        at time: Timestamp,
        staysOnLine: Bool = false
    ) -> [UInt8] {
        self.frame(
            function: frame.function,
            packet: frame.packet.map { SL651Frame.Packet(number: $0.total, total: $0.total) },
            body: self.head(serial, time),
            end: frame.packet == nil && frame.end == .moreFollows ? .goOn : staysOnLine ? .stayOnLine : .hangUp
        )
    }

    /// Asks for a packet that did not come or came damaged (6.3.1.2 c).
    package func sendAgain(
        packet: Int,
        of frame: SL651Frame,
        serial: UInt16,
        at time: Timestamp
    ) -> [UInt8] {
        self.frame(
            function: frame.function,
            packet: SL651Frame.Packet(number: packet, total: frame.packet?.total ?? packet),
            body: self.head(serial, time),
            end: .sendAgain
        )
    }

    /// Function 37: the newest values of all elements.
    package func askForPresent(at time: Timestamp) -> [UInt8] {
        self.frame(function: 0x37, body: self.head(0, time), end: .enquiry)
    }

    /// Function 38: the values of an element from one full hour to another, at equal steps.
    ///
    /// Nil where the step cannot be written: it is a whole number of minutes below 60, of hours below 24, or of days; for
    /// `DRP` and `DRZ` it is five minutes. Of the times only the hours of Beijing time are said.
    package func askForPeriod(
        of element: SL651Element,
        hours: ClosedRange<Timestamp>,
        step: Milliseconds,
        at time: Timestamp
    ) -> [UInt8]? {
        guard let (days, hour, minute) = Self.step(step) else { return nil }
        var body = self.head(0, time)
        switch self.encoding {
        case .binary:
            for moment in [hours.lowerBound, hours.upperBound] {
                body += Self.digits(moment).prefix(4).map(Self.packed)
            }
            body += [0x04, 0x18] + [days, hour, minute].map(Self.packed)
            body += [element.id, element.definition]
        case .text:
            let letter = days > 0 ? "D" : hour > 0 ? "H" : "N"
            let parts =
                [hours.lowerBound, hours.upperBound].map { Self.text(Self.digits($0).prefix(4)) }
                + ["DR\(letter)\(Self.text([max(days, hour, minute)]))", element.symbol]
            body += Array((" " + parts.joined(separator: " ") + " ").utf8)
        }
        return self.frame(function: 0x38, body: body, end: .enquiry)
    }

    /// Function 4A: sets the station's clock to the time of sending; where it was wrong by more than five minutes, twice
    /// (6.6.4.24).
    package func setClock(to time: Timestamp) -> [UInt8] {
        self.frame(function: 0x4A, body: self.head(0, time), end: .enquiry)
    }

    /// Serial number and time of sending; what the centre begins has the serial number 0 (6.6.2.4).
    private func head(_ serial: UInt16, _ time: Timestamp) -> [UInt8] {
        let digits = Self.digits(time)
        switch self.encoding {
        case .binary: return [UInt8(serial >> 8), UInt8(serial & 0xFF)] + digits.map(Self.packed)
        case .text: return Array((HexText.text(UInt64(serial), digits: 4) + Self.text(digits)).utf8)
        }
    }

    private func frame(
        function: UInt8,
        packet: SL651Frame.Packet? = nil,
        body: [UInt8],
        end: SL651Frame.End
    ) -> [UInt8] {
        let number = packet.map { UInt64($0.total & 0xFFF) << 12 | UInt64($0.number & 0xFFF) }
        var frame: [UInt8]
        let start = packet == nil ? SL651Frame.bodyStart : SL651Frame.packetStart
        switch self.encoding {
        case .binary:
            frame = [SL651Frame.binaryStart, SL651Frame.binaryStart] + Self.bytes(self.station, count: 5)
            frame += [self.centre] + Self.bytes(UInt64(self.password), count: 2) + [function]
            let numbered = number.map { Self.bytes($0, count: 3) + body } ?? body
            frame += Self.bytes(0x8000 | UInt64(numbered.count), count: 2) + [start] + numbered + [end.rawValue]
            let check = self.crc.modbus(frame.span, 0..<frame.count)
            frame += Self.bytes(UInt64(check), count: 2)
        case .text:
            let numbered = number.map { Array(HexText.text($0, digits: 6).utf8) + body } ?? body
            let head =
                SL651Frame.text(ofAddress: self.station) + HexText.text(UInt64(self.centre), digits: 2)
                + HexText.text(UInt64(self.password), digits: 4) + HexText.text(UInt64(function), digits: 2)
                + HexText.text(0x8000 | UInt64(numbered.count), digits: 4)
            frame = [SL651Frame.textStart] + Array(head.utf8) + [start] + numbered + [end.rawValue]
            let check = self.crc.modbus(frame.span, 0..<frame.count)
            frame += Array(HexText.text(UInt64(check), digits: 4).utf8)
        }
        return frame
    }

    /// Year, month, day, hour, minute, second of Beijing time, two digits each.
    private static func digits(_ moment: Timestamp) -> [Int] {
        let time = CivilTime(moment, offsetMinutes: SL651Group.zoneMinutes)
        return [time.year % 100, time.month, time.day, time.hour, time.minute, time.second]
    }

    private static func step(_ step: Milliseconds) -> (days: Int, hours: Int, minutes: Int)? {
        switch step {
        case .minute ..< .hour where step % .minute == 0: (0, 0, Int(step / .minute))
        case .hour ..< .day where step % .hour == 0: (0, Int(step / .hour), 0)
        case .day...31 * .day where step % .day == 0: (Int(step / .day), 0, 0)
        default: nil
        }
    }

    private static func packed(_ number: Int) -> UInt8 { UInt8((number / 10 % 10) << 4 | (number % 10)) }

    private static func text(_ numbers: some Sequence<Int>) -> String {
        numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined()
    }

    private static func bytes(_ number: UInt64, count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * (count - 1 - $0))) }
    }
}

extension SL651Element {
    /// The definition byte that the standard's sizes give: bytes of data above, digits behind the point below.
    package var definition: UInt8 {
        switch self.form {
        case .rainSteps: 12 << 3
        case .levelSteps: 24 << 3
        case .state: 4 << 3
        case .step: 3 << 3
        default: UInt8((self.digits + 1) / 2) << 3 | UInt8(self.decimals)
        }
    }
}
