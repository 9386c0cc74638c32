// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Serial number and time of sending, with which every message begins (6.6.2.4, 6.6.2.5).
package struct SL651Head: Hashable, Sendable {
    /// From 1 to 65535, the same when the message is sent again; 0 in what the centre begins.
    package var serial: UInt16
    /// By the station's clock; nil where it is no date and time.
    package var sent: Timestamp?
}

extension SL651Frame {
    /// The head of the message that begins in this frame; nil in later packets, and where the body is too short for one.
    ///
    /// `bytes` are those that the frame was read from.
    package func head(in bytes: Span<UInt8>) -> SL651Head? {
        guard self.packet.map({ $0.number == 1 }) ?? true else { return nil }
        let start = self.body.lowerBound
        let serial: UInt16
        let time: SL651Group.Time
        switch self.encoding {
        case .binary:
            guard self.body.count >= 8 else { return nil }
            serial = UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
            time = PackedDecimal.time(bytes, at: start + 2, count: 6)
        case .text:
            guard self.body.count >= 16 else { return nil }
            var number: UInt16 = 0
            for index in start..<start + 4 {
                guard let digit = HexText.digit(bytes[index]) else { return nil }
                number = number << 4 | UInt16(digit)
            }
            serial = number
            time = SL651TextBody.time(bytes, start + 4..<start + 16)
        }
        guard case .known(let sent) = time else { return SL651Head(serial: serial, sent: nil) }
        return SL651Head(serial: serial, sent: sent)
    }
}
