// poyang
// SPDX-License-Identifier: Apache-2.0

/// The envelope of one frame of SL 651-2014 (6.4, 6.5), its check passed.
///
/// ```
/// binary: 7E7E  centre  station  password  function  0LLL  STX       body        ETX  CRC
///          2      1        5        2         1       2    1    SYN  3 (TTTNNN)   1    2 bytes
/// text:   SOH     2       10        4         2       4    1    SYN  6            1    4 characters
/// ```
/// A frame down to the station names the station before the centre, and has an 8 for the 0. After SYN stand the number
/// of packets and the number of this one, twelve bits each.
package struct SL651Frame: Hashable, Sendable {
    /// How the frame is written.
    package enum Encoding: Hashable, Sendable {
        /// HEX/BCD (6.5).
        case binary
        /// ASCII characters (6.4).
        case text
    }

    /// The number of a packet of a longer message and how many there are, each from 1 to 4095.
    package struct Packet: Hashable, Sendable {
        package var number: Int
        package var total: Int

        package init(number: Int, total: Int) {
            self.number = number
            self.total = total
        }
    }

    /// The control characters of table 10 that end a frame.
    package enum End: UInt8, Hashable, Sendable {
        /// ETX: the last of what is sent.
        case last = 0x03
        /// EOT: received; hang up.
        case hangUp = 0x04
        /// ENQ: a question or command.
        case enquiry = 0x05
        /// ACK: received; go on.
        case goOn = 0x06
        /// NAK: send a packet again.
        case sendAgain = 0x15
        /// ETB: more follows.
        case moreFollows = 0x17
        /// ESC: received; stay on line for ten minutes.
        case stayOnLine = 0x1B
    }

    package var encoding: Encoding
    /// From the centre to the station.
    package var isDown: Bool
    /// The centre's address, 1 to 255; some send 0.
    package var centre: UInt8
    /// The station's address, 40 bits.
    package var station: UInt64
    package var password: UInt16
    /// Function code (table B.1).
    package var function: UInt8
    package var packet: Packet?
    package var end: End
    /// Where the body stands among the bytes that were read: between STX, or the packet's number, and the end character.
    package var body: Range<Int>
    /// Where the frame stands, its check included.
    package var extent: Range<Int>

    /// An address as people write it: ten hexadecimal digits.
    package static func text(ofAddress address: UInt64) -> String {
        String(unsafeUninitializedCapacity: 10) { text in
            for index in 0..<10 {
                let digit = UInt8(truncatingIfNeeded: address >> UInt64(36 - 4 * index)) & 0xF
                text[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
            }
            return 10
        }
    }

    /// Control characters that begin a body (table 10).
    static let bodyStart: UInt8 = 0x02
    static let packetStart: UInt8 = 0x16
    /// Begins a text frame.
    static let textStart: UInt8 = 0x01
    /// Begins a binary frame, twice.
    static let binaryStart: UInt8 = 0x7E
    /// From the first byte to STX or SYN.
    static let binaryHeader = 14
    static let textHeader = 24
    /// The longest body that twelve bits can say.
    static let longestBody = 0xFFF
}
