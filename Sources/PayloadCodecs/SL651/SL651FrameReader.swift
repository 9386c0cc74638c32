// poyang
// SPDX-License-Identifier: Apache-2.0

/// Finds a frame of SL 651 among bytes and checks its envelope.
package struct SL651FrameReader: Sendable {
    private let crc: CRC16

    package init() {
        self.init(crc: CRC16())
    }

    init(crc: CRC16) {
        self.crc = crc
    }

    /// Reads the frame that begins at `start`.
    ///
    /// - Throws: ``SL651Error``; ``SL651Error/Code/truncated`` while it may only not have come whole yet.
    package func frame(in bytes: Span<UInt8>, at start: Int = 0) throws(SL651Error) -> SL651Frame {
        guard start < bytes.count else { throw self.truncated(bytes, needs: start + SL651Frame.binaryHeader) }
        if bytes[start] == SL651Frame.textStart { return try self.textFrame(in: bytes, at: start) }
        guard bytes[start] == SL651Frame.binaryStart else {
            throw SL651Error(
                code: .malformed,
                message: "byte \(hex(bytes[start])) where a frame begins; it begins with 7E7E, as text with SOH (01)",
                offset: start
            )
        }
        return try self.binaryFrame(in: bytes, at: start)
    }

    private func binaryFrame(in bytes: Span<UInt8>, at start: Int) throws(SL651Error) -> SL651Frame {
        let header = SL651Frame.binaryHeader
        guard bytes.count - start >= header else { throw self.truncated(bytes, needs: start + header) }
        guard bytes[start + 1] == SL651Frame.binaryStart else {
            throw SL651Error(code: .malformed, message: "a frame begins with 7E7E, not 7E alone", offset: start + 1)
        }
        let isDown = try self.isDown(bytes[start + 11] >> 4, offset: start + 11)
        let length = Int(bytes[start + 11] & 0x0F) << 8 | Int(bytes[start + 12])
        var station: UInt64 = 0
        let stationAt = isDown ? start + 2 : start + 3
        for index in stationAt..<stationAt + 5 { station = station << 8 | UInt64(bytes[index]) }
        var packet: SL651Frame.Packet?
        let isPacket = try self.isPacket(bytes[start + 13], offset: start + 13)
        var bodyStart = start + header
        var end = start + header + length
        if isPacket {
            guard bytes.count >= bodyStart + 3 else { throw self.truncated(bytes, needs: bodyStart + 3) }
            packet = SL651Frame.Packet(
                number: Int(bytes[bodyStart + 1] & 0x0F) << 8 | Int(bytes[bodyStart + 2]),
                total: Int(bytes[bodyStart]) << 4 | Int(bytes[bodyStart + 1] >> 4)
            )
            bodyStart += 3
            // Some count the length from behind the number.
            if !self.hasCheck(bytes, start: start, end: end), self.hasCheck(bytes, start: start, end: end + 3) {
                end += 3
            }
        }
        guard end + 3 <= bytes.count else { throw self.truncated(bytes, needs: end + 3) }
        let sent = UInt16(bytes[end + 1]) << 8 | UInt16(bytes[end + 2])
        let check = self.crc.modbus(bytes, start..<end + 1)
        guard sent == check else { throw self.wrongCheck(sent: sent, check: check, offset: end + 1) }
        let frame = SL651Frame(
            encoding: .binary,
            isDown: isDown,
            centre: bytes[isDown ? start + 7 : start + 2],
            station: station,
            password: UInt16(bytes[start + 8]) << 8 | UInt16(bytes[start + 9]),
            function: bytes[start + 10],
            packet: packet,
            end: try self.end(bytes[end], offset: end),
            body: bodyStart..<max(bodyStart, end),
            extent: start..<end + 3
        )
        return try self.checked(frame)
    }

    private func textFrame(in bytes: Span<UInt8>, at start: Int) throws(SL651Error) -> SL651Frame {
        let header = SL651Frame.textHeader
        guard bytes.count - start >= header else { throw self.truncated(bytes, needs: start + header) }
        let isDown = try self.isDown(UInt8(try self.number(bytes, start + 19, 1)), offset: start + 19)
        let length = Int(try self.number(bytes, start + 20, 3))
        let isPacket = try self.isPacket(bytes[start + 23], offset: start + 23)
        var packet: SL651Frame.Packet?
        var bodyStart = start + header
        let end = start + header + length
        guard end + 5 <= bytes.count else { throw self.truncated(bytes, needs: end + 5) }
        if isPacket {
            packet = SL651Frame.Packet(
                number: Int(try self.number(bytes, bodyStart + 3, 3)),
                total: Int(try self.number(bytes, bodyStart, 3))
            )
            bodyStart += 6
        }
        let sent = UInt16(try self.number(bytes, end + 1, 4))
        let check = self.crc.modbus(bytes, start..<end + 1)
        guard sent == check else { throw self.wrongCheck(sent: sent, check: check, offset: end + 1) }
        let frame = SL651Frame(
            encoding: .text,
            isDown: isDown,
            centre: UInt8(try self.number(bytes, isDown ? start + 11 : start + 1, 2)),
            station: try self.number(bytes, isDown ? start + 1 : start + 3, 10),
            password: UInt16(try self.number(bytes, start + 13, 4)),
            function: UInt8(try self.number(bytes, start + 17, 2)),
            packet: packet,
            end: try self.end(bytes[end], offset: end),
            body: bodyStart..<max(bodyStart, end),
            extent: start..<end + 5
        )
        return try self.checked(frame)
    }

    private func checked(_ frame: SL651Frame) throws(SL651Error) -> SL651Frame {
        if let packet = frame.packet {
            guard packet.total >= 1, (1...packet.total).contains(packet.number) else {
                throw SL651Error(
                    code: .malformed,
                    message: "packet \(packet.number) of \(packet.total); they are numbered from 1 to their total",
                    offset: frame.body.lowerBound
                )
            }
        }
        return frame
    }

    private func isDown(_ digit: UInt8, offset: Int) throws(SL651Error) -> Bool {
        guard digit == 0 || digit == 8 else {
            throw SL651Error(
                code: .malformed,
                message: "direction \(digit) before the length; 0 is up to the centre, 8 down to the station",
                offset: offset
            )
        }
        return digit == 8
    }

    private func isPacket(_ byte: UInt8, offset: Int) throws(SL651Error) -> Bool {
        guard byte == SL651Frame.bodyStart || byte == SL651Frame.packetStart else {
            throw SL651Error(
                code: .malformed,
                message: "byte \(hex(byte)) where the body begins; STX (02) or SYN (16) stands there",
                offset: offset
            )
        }
        return byte == SL651Frame.packetStart
    }

    private func end(_ byte: UInt8, offset: Int) throws(SL651Error) -> SL651Frame.End {
        guard let end = SL651Frame.End(rawValue: byte) else {
            throw SL651Error(
                code: .malformed,
                message: "byte \(hex(byte)) where the body ends by its length; ETX (03), ETB (17) or an answer's "
                    + "ENQ, ACK, NAK, EOT, ESC stands there",
                offset: offset
            )
        }
        return end
    }

    /// Whether a check that is right follows an end character at `end`.
    private func hasCheck(_ bytes: Span<UInt8>, start: Int, end: Int) -> Bool {
        guard end + 3 <= bytes.count else { return false }
        return self.crc.modbus(bytes, start..<end + 1) == UInt16(bytes[end + 1]) << 8 | UInt16(bytes[end + 2])
    }

    private func number(_ bytes: Span<UInt8>, _ start: Int, _ count: Int) throws(SL651Error) -> UInt64 {
        guard start + count <= bytes.count else { throw self.truncated(bytes, needs: start + count) }
        var number: UInt64 = 0
        for index in start..<start + count {
            guard let digit = HexText.digit(bytes[index]) else {
                throw SL651Error(
                    code: .malformed,
                    message: "byte \(hex(bytes[index])) where a text frame has a hexadecimal digit",
                    offset: index
                )
            }
            number = number << 4 | UInt64(digit)
        }
        return number
    }

    private func truncated(_ bytes: Span<UInt8>, needs count: Int) -> SL651Error {
        SL651Error(
            code: .truncated,
            message: "the frame needs \(count) bytes by its length, but \(bytes.count) came",
            offset: bytes.count
        )
    }

    private func wrongCheck(sent: UInt16, check: UInt16, offset: Int) -> SL651Error {
        SL651Error(
            code: .checksum,
            message: "the CRC \(hex(sent)) is not that of the bytes, \(hex(check)) (CRC-16/MODBUS, high byte first)",
            offset: offset
        )
    }
}

private func hex(_ byte: UInt8) -> String { HexText.text(UInt64(byte), digits: 2) }
private func hex(_ pair: UInt16) -> String { HexText.text(UInt64(pair), digits: 4) }
