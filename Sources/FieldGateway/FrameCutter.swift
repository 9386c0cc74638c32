// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs

/// Cuts the bytes of one connection into frames of SL 651, wherever the segments of the network end.
///
/// Between frames it passes over what modems send on their own account (a registration, signs of life); how much since the
/// last frame, ``skipped`` says. It never holds more than one frame that has not come whole.
struct FrameCutter {
    enum Piece: Equatable {
        /// A frame whose check is right, with its bytes; its ranges count from their first.
        case frame(SL651Frame, [UInt8])
        /// A frame whose check is wrong; `station` is what stands where the address is.
        case damaged([UInt8], station: UInt64?, reason: String)
    }

    private let reader = SL651FrameReader()
    private var bytes: [UInt8] = []
    /// Where in `bytes` what has not been looked at begins.
    private var position = 0
    /// Bytes since the last frame that belong to none.
    private(set) var skipped = 0

    /// Whether the beginning of a frame waits for its rest.
    var isInsideFrame: Bool { self.held > 0 }

    /// Bytes that wait for more; no frame is longer than 4,128.
    var held: Int { self.bytes.count - self.position }

    mutating func push(_ more: some Sequence<UInt8>) {
        self.bytes.removeFirst(self.position)
        self.position = 0
        self.bytes += more
    }

    /// The next piece that is whole; nil while there is none.
    mutating func next() -> Piece? {
        while self.findStart() {
            do {
                var frame = try self.reader.frame(in: self.bytes.span, at: self.position)
                let bytes = Array(self.bytes[frame.extent])
                // The ranges count from the first byte of the frame.
                frame.body = frame.body.lowerBound - self.position..<frame.body.upperBound - self.position
                frame.extent = 0..<bytes.count
                self.position += bytes.count
                self.skipped = 0
                return .frame(frame, bytes)
            } catch {
                switch error.code {
                case .truncated: return nil
                case .checksum:
                    let damaged = Array(self.bytes[self.position..<self.endOfDamaged()])
                    self.position += damaged.count
                    return .damaged(damaged, station: Self.station(of: damaged), reason: error.message)
                case .malformed: self.pass(1)
                }
            }
        }
        return nil
    }

    /// Passes over what stands before the next byte that may begin a frame.
    ///
    /// - Returns: Whether there is one.
    private mutating func findStart() -> Bool {
        let start = self.bytes.indices.dropFirst(self.position)
            .first { index in
                switch self.bytes[index] {
                case 0x01: true
                case 0x7E: index + 1 == self.bytes.count || self.bytes[index + 1] == 0x7E
                default: false
                }
            }
        self.pass((start ?? self.bytes.count) - self.position)
        return self.held > 0
    }

    private mutating func pass(_ count: Int) {
        let isFiller = { (byte: UInt8) in byte == 0x0D || byte == 0x0A || byte == 0 || byte == 0x20 }
        self.skipped += self.bytes[self.position..<self.position + count].count { !isFiller($0) }
        self.position += count
    }

    /// Where the next frame begins that is whole, or where a damaged one ends by the length that it says itself.
    private func endOfDamaged() -> Int {
        let start = self.position
        let said: Int
        if self.bytes[start] == 0x01 {
            said = 24 + (Int(String(decoding: self.bytes[start + 20..<start + 23], as: UTF8.self), radix: 16) ?? 0) + 5
        } else {
            said = 14 + (Int(self.bytes[start + 11] & 0xF) << 8 | Int(self.bytes[start + 12])) + 3
        }
        let end = min(start + said, self.bytes.count)
        for index in start + 2..<max(end, start + 2) where self.bytes[index] == self.bytes[start] {
            if (try? self.reader.frame(in: self.bytes.span, at: index)) != nil { return index }
        }
        return max(end, start + 1)
    }

    private static func station(of damaged: [UInt8]) -> UInt64? {
        guard damaged.count > 13 else { return nil }
        if damaged[0] == 0x01 { return UInt64(String(decoding: damaged[3..<13], as: UTF8.self), radix: 16) }
        return damaged[3..<8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
