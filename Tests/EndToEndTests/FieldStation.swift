// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

/// A station of SL 651 as a bare TCP connection; its frames are made and read by the words of the standard.
final class FieldStation: Sendable {
    /// A frame from the centre.
    struct Answer {
        var function: UInt8
        /// EOT 04, ESC 1B, ACK 06, NAK 15, ENQ 05.
        var end: UInt8
        /// Behind STX, or behind the number of the packet.
        var body: [UInt8]
        /// `2/3` for the second of three packets; empty without packets.
        var packetText: String
    }

    let address: String
    private let descriptor: Int32

    init(_ address: String, port: UInt16) throws {
        self.address = address
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        target.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(self.descriptor, $0, size) }
        }
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .ECONNREFUSED) }
    }

    deinit { close(self.descriptor) }

    /// A frame of this station.
    func frame(
        _ function: UInt8,
        _ body: String,
        packet: (number: Int, total: Int)? = nil,
        end: UInt8 = 0x03
    ) -> [UInt8] {
        sl651Frame(function, hex(body), packet: packet, end: end, station: self.address)
    }

    /// A report of levels in millimetres, `step` minutes apart where there are several.
    func levels(
        _ function: UInt8 = 0x32,
        serial: Int,
        sent: Timestamp,
        observed: Timestamp,
        step: Int = 5,
        _ millimeters: [Int]
    ) -> [UInt8] {
        let steps = millimeters.count > 1 ? "0418 0000" + Self.digits(step, 2) : ""
        let values = millimeters.map { Self.digits($0, 8) }.joined()
        return self.frame(
            function,
            "\(Self.head(serial, sent)) F1F1 \(self.address) 48 F0F0 \(Self.time(observed, 10)) \(steps) 39 23 \(values)"
        )
    }

    static func head(_ serial: Int, _ sent: Timestamp) -> String {
        let text = String(serial, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - text.count) + text + self.time(sent, 12)
    }

    /// `YYMMDDHHmm` or `YYMMDDHHmmSS`.
    static func time(_ time: Timestamp, _ digits: Int) -> String {
        String(time.rfc3339().filter(\.isNumber).dropFirst(2).prefix(digits))
    }

    static func digits(_ number: Int, _ count: Int) -> String {
        String(repeating: "0", count: count - String(number).count) + String(number)
    }

    func send(_ bytes: [UInt8]) {
        _ = bytes.withUnsafeBytes {
            Foundation.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// The next frame from the centre; nil where none comes in time, or the centre hangs up.
    func answer(within seconds: Int = 20) async throws -> Answer? {
        let bytes = try await self.read(within: seconds) { bytes in
            bytes.count >= 14 && bytes.count >= 17 + (Int(bytes[11] & 0xF) << 8 | Int(bytes[12]))
        }
        guard bytes.count > 16 else { return nil }
        #expect(Array(bytes[0..<2]) == [0x7E, 0x7E] && hexText(bytes[2..<7]) == self.address, "\(hexText(bytes))")
        #expect(bytes[11] >> 4 == 8, "down")
        let check = modbusCheck(bytes.dropLast(2))
        #expect(Array(bytes.suffix(2)) == [UInt8(check >> 8), UInt8(check & 0xFF)])
        let isPacket = bytes[13] == 0x16
        let number = isPacket ? bytes[14..<17].reduce(0) { $0 << 8 | Int($1) } : 0
        return Answer(
            function: bytes[10],
            end: bytes[bytes.count - 3],
            body: Array(bytes[(isPacket ? 17 : 14)..<bytes.count - 3]),
            packetText: isPacket ? "\(number & 0xFFF)/\(number >> 12)" : ""
        )
    }

    /// Whether the centre hangs up in time.
    func isHungUpOn(within seconds: Int = 20) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            let end = try await self.read(within: 1, ends: true) { _ in false }
            if end == [0xFF] { return true }
        }
        return false
    }

    /// Reads byte by byte until `isWhole`, so that the next frame stays where it is.
    private func read(
        within seconds: Int,
        ends: Bool = false,
        until isWhole: @escaping @Sendable ([UInt8]) -> Bool
    ) async throws -> [UInt8] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var bytes: [UInt8] = []
                let deadline = Date(timeIntervalSinceNow: Double(seconds))
                while !isWhole(bytes) {
                    var ready = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
                    let left = Int32(max(0, deadline.timeIntervalSinceNow * 1000))
                    guard poll(&ready, 1, left) > 0 else { break }
                    var byte: UInt8 = 0
                    guard recv(self.descriptor, &byte, 1, 0) == 1 else {
                        if ends { bytes = [0xFF] }
                        break
                    }
                    if !ends { bytes.append(byte) }
                }
                continuation.resume(returning: bytes)
            }
        }
    }
}
