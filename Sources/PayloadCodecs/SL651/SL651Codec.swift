// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Frames of SL 651-2014 (水文监测数据通信规约), binary, as text, or as hexadecimal digits of either.
///
/// The keys of the readings are the symbols of table C.1 (`Z`, `PT`, `DRP`, …); identifiers without a symbol are two
/// hexadecimal digits (`76`), those behind FF four (`FF11`), the bits of the state ZT `ZT.mains` and so on. Times are
/// Beijing time; a value that is filled with F is left out; what a person entered has the method `manual`; a test report
/// counts as simulated.
///
/// Of a message in several packets (mode M3) the values are given when the last of them has come. The packets may stand in
/// one payload; those that come one by one are refused with the advice that the rest is awaited, so that the bytes are
/// kept whatever happens. No value of theirs is refused yet, and none is any more when the message is whole
/// (``DecodedMessage/awaiting``, ``DecodedMessage/completed``).
package struct SL651Codec: PayloadCodec {
    /// Payloads beyond this are refused unread: 1 MiB.
    package static let defaultLimit = 1 << 20

    /// When the payload came; packets wait ten minutes for the rest of their message.
    package var now = Timestamp.distantPast

    private let limit: Int
    private let reader: SL651FrameReader
    private let elements: [SL651Element?]
    private var packets = SL651Packets()
    private var bytes: [UInt8] = []

    /// - Parameter limit: The longest payload that is read, in bytes.
    package init(limit: Int = Self.defaultLimit) {
        self.limit = limit
        self.reader = SL651FrameReader()
        var elements = [SL651Element?](repeating: nil, count: 256)
        for element in SL651Element.all { elements[Int(element.id)] = element }
        self.elements = elements
    }

    package mutating func decode(_ payload: Span<UInt8>, into message: inout DecodedMessage) {
        guard message.begin(payload, limit: self.limit) else { return }
        guard let first = payload.count > 0 ? payload[0] : nil else {
            message.refuseWhole(
                .malformed,
                "the payload is empty; expected a frame of SL 651-2014 that begins with 7E7E"
            )
            return
        }
        guard first != SL651Frame.binaryStart, first != SL651Frame.textStart else {
            self.frames(payload, &message)
            return
        }
        var bytes = self.bytes
        self.bytes = []
        if HexText.read(payload, into: &bytes) {
            self.frames(bytes.span, &message)
        } else {
            message.refuseWhole(
                .malformed,
                "neither a frame of SL 651-2014, which begins with 7E7E or SOH (01), nor its hexadecimal digits"
            )
        }
        self.bytes = bytes
    }

    /// The frames of a payload, one behind the other.
    private mutating func frames(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        var position = 0
        do {
            repeat {
                let frame = try self.reader.frame(in: bytes, at: position)
                position = frame.extent.upperBound
                self.frame(frame, bytes, &message)
                while position < bytes.count, Self.isPadding(bytes[position]) { position += 1 }
            } while position < bytes.count
        } catch {
            let detail = "byte \(error.offset): \(error.message)"
            guard position > 0 else {
                message.refuseWhole(.malformed, detail)
                return
            }
            // The frames before it stand for themselves.
            message.refuse(Refusal(reason: .malformed, detail: detail))
        }
        self.refuseWaiting(&message)
    }

    private mutating func frame(_ frame: SL651Frame, _ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        guard !frame.isDown else {
            message.refuse(
                Refusal(reason: .malformed, detail: "a frame from the centre to the station (function \(frame.name))")
            )
            return
        }
        guard let packet = frame.packet, packet.total > 1 else {
            self.body(frame, bytes, frame.body, &message)
            return
        }
        switch self.packets.take(packet, of: frame, bytes, at: self.now) {
        case .waits: break
        case .complete(let body, let number):
            message.completed.append(number)
            self.body(frame, body.span, 0..<body.count, &message)
        case .tooLarge:
            message.refuse(
                Refusal(
                    reason: .tooLarge,
                    detail: "the packets of the message of function \(frame.name) are together longer than "
                        + "\(SL651Packets.longestMessage) bytes"
                )
            )
        }
    }

    /// Says of packets that came without the rest of their message what becomes of them.
    private mutating func refuseWaiting(_ message: inout DecodedMessage) {
        for waiting in self.packets.refused() {
            message.awaiting.append(waiting.message)
            message.refuse(Refusal(reason: .malformed, detail: waiting.text, values: 0))
        }
    }

    /// A whole body: serial number, time of sending, groups.
    private func body(
        _ frame: SL651Frame,
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ message: inout DecodedMessage
    ) {
        let head = frame.encoding == .binary ? 8 : 16
        guard range.count >= head else {
            message.refuse(
                Refusal(
                    reason: .malformed,
                    detail: "a body of \(range.count) bytes; serial number and time of sending alone take \(head)"
                )
            )
            return
        }
        let groups = range.lowerBound + head..<range.upperBound
        let sent =
            frame.encoding == .binary
            ? PackedDecimal.time(bytes, at: range.lowerBound + 2, count: 6)
            : SL651TextBody.time(bytes, range.lowerBound + 4..<range.lowerBound + 16)
        var group = SL651Group(station: frame.station, sent: sent, function: frame.function)
        switch SL651Codec.content(of: frame.function) {
        case .values:
            // Whose the values are is said before the first, whatever the body says itself.
            group.begin(station: frame.station, &message)
            if frame.encoding == .binary {
                var body = SL651BinaryBody(
                    elements: self.elements,
                    function: frame.function,
                    range: groups,
                    group: group
                )
                body.read(bytes, &message)
            } else {
                var body = SL651TextBody(function: frame.function, range: groups, group: group)
                body.read(bytes, &message)
            }
        case .none: break
        case .unknown:
            message.refuse(
                Refusal(
                    reason: .malformed,
                    detail:
                        "function \(frame.name) is reserved or the user's own: how its body is to be read is not known"
                )
            )
        }
    }

    private static func isPadding(_ byte: UInt8) -> Bool { byte == 0x0D || byte == 0x0A || byte == 0 }
}

extension SL651Codec {
    /// What stands in the body of a function's frame.
    enum Content: Hashable, Sendable {
        case values
        /// Signs of life, and answers about the station itself.
        case none
        /// Functions that the standard leaves open.
        case unknown
    }

    static func content(of function: UInt8) -> Content {
        switch function {
        case 0x30...0x3A, 0x44, 0x46, 0x4B...0x4E: .values
        case 0x2F, 0x40...0x43, 0x45, 0x47...0x4A, 0x4F, 0x50, 0x51: .none
        default: .unknown
        }
    }

    /// The states of pumps, valves, gates.
    static let controls: ClosedRange<UInt8> = 0x4C...0x4E

    /// Whether a byte for the kind of station follows its address (tables 28 to 55).
    static func namesClass(_ function: UInt8) -> Bool {
        (0x30...0x3A).contains(function) || function == 0x44
    }

    /// Table A.1: P H K Z D T M G Q I O.
    static let classes: Set<UInt8> = Set("PHKZDTMGQIO".utf8)

    static func refusePicture(bytes: Int, _ message: inout DecodedMessage) {
        message.refuse(
            Refusal(reason: .malformed, detail: "a picture of \(bytes) bytes; pictures are not read", key: "PIC")
        )
    }
}

extension SL651Frame {
    /// The function code as two digits.
    var name: String { HexText.text(UInt64(self.function), digits: 2) }
}
