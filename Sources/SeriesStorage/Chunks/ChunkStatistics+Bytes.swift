// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension ChunkStatistics {
    private static let notEvaluated: UInt16 = 1 << UInt16(Quality.notEvaluated.rawValue)
    /// Milliseconds of the units of time, coarsest first.
    private static let units: [(code: UInt8, span: Int64)] = [(2, .minute), (1, .second), (0, 1)]

    /// Appends the bytes described at the type; times are relative to `base`, which the reader must know.
    func write(to writer: inout ByteWriter, base: Int64) {
        let start = self.firstTime.milliseconds &- base
        let span = self.lastTime.milliseconds &- self.firstTime.milliseconds
        let unit = Self.units.first { start % $0.span == 0 && span >= 0 && span % $0.span == 0 } ?? (0, 1)
        var flags = unit.code << 6
        if self.hasNaN { flags |= 0x04 }
        if self.qualities == Self.notEvaluated { flags |= 0x20 }
        var first: Int64?
        var last: Int64?
        switch self.numbers {
        case .none: break
        case .decimal(let exponent, _, _, _):
            flags |= 1
            first = DecimalScale.integer(self.firstValue, power: DecimalScale.powers[exponent])
            last = DecimalScale.integer(self.lastValue, power: DecimalScale.powers[exponent])
        case .binary: flags |= 2
        }
        if first == nil { flags |= 0x08 }
        if last == nil { flags |= 0x10 }
        writer.byte(flags)
        writer.count(self.count)
        writer.signed(start / unit.span)
        writer.varint(unit.code == 0 ? UInt64(bitPattern: span) : UInt64(span / unit.span))
        if flags & 0x20 == 0 { writer.fixed(self.qualities) }
        switch self.numbers {
        case .none: break
        case .decimal(let exponent, let minimum, let maximum, let sum):
            writer.byte(UInt8(exponent))
            writer.signed(minimum)
            writer.varint(UInt64(bitPattern: maximum &- minimum))
            writer.signed(sum &- Int64(self.count) &* minimum)
            if let first { writer.varint(UInt64(bitPattern: first &- minimum)) }
            if let last { writer.varint(UInt64(bitPattern: last &- minimum)) }
        case .binary(let minimum, let maximum, let sum):
            writer.fixed(minimum.bitPattern)
            writer.fixed(maximum.bitPattern)
            writer.fixed(sum.bitPattern)
        }
        if first == nil { writer.fixed(self.firstValue.bitPattern) }
        if last == nil { writer.fixed(self.lastValue.bitPattern) }
    }

    /// The bytes that ``write(to:base:)`` appends.
    package func bytes(base: Int64) -> [UInt8] {
        var writer = ByteWriter(capacity: 32)
        self.write(to: &writer, base: base)
        return writer.take()
    }

    /// Reads what ``write(to:base:)`` wrote with the same base.
    init(from reader: inout ByteReader, base: Int64) throws(DamagedBytes) {
        let flags = try reader.byte()
        guard let count = Int(exactly: try reader.varint()), (1...ChunkCodec.largest).contains(count) else {
            throw reader.damaged("announces an impossible number of samples")
        }
        guard let unit = Self.units.first(where: { $0.code == flags >> 6 })?.span else {
            throw reader.damaged("has an unknown unit of time")
        }
        let start = try reader.signed() &* unit &+ base
        let end = start &+ Int64(bitPattern: try reader.varint()) &* unit
        guard end >= start else { throw reader.damaged("ends before it begins") }
        self.count = count
        self.firstTime = Timestamp(milliseconds: start)
        self.lastTime = Timestamp(milliseconds: end)
        self.hasNaN = flags & 0x04 != 0
        self.qualities = flags & 0x20 != 0 ? Self.notEvaluated : try reader.fixed16()
        var first: Double?
        var last: Double?
        switch flags & 0x03 {
        case 0: self.numbers = .none
        case 1:
            let exponent = Int(try reader.byte())
            guard exponent <= DecimalScale.largestExponent else { throw reader.damaged("has an unknown exponent") }
            let power = DecimalScale.powers[exponent]
            let minimum = try reader.signed()
            let maximum = minimum &+ Int64(bitPattern: try reader.varint())
            guard maximum >= minimum else { throw reader.damaged("has its minimum above its maximum") }
            let sum = try reader.signed() &+ Int64(count) &* minimum
            self.numbers = .decimal(exponent: exponent, minimum: minimum, maximum: maximum, sum: sum)
            if flags & 0x08 == 0 { first = Double(minimum &+ Int64(bitPattern: try reader.varint())) / power }
            if flags & 0x10 == 0 { last = Double(minimum &+ Int64(bitPattern: try reader.varint())) / power }
        case 2:
            self.numbers = .binary(
                minimum: Double(bitPattern: try reader.fixed64()),
                maximum: Double(bitPattern: try reader.fixed64()),
                sum: Double(bitPattern: try reader.fixed64())
            )
        default: throw reader.damaged("has an unknown form of numbers")
        }
        if first == nil { first = Double(bitPattern: try reader.fixed64()) }
        if last == nil { last = Double(bitPattern: try reader.fixed64()) }
        self.firstValue = first ?? .nan
        self.lastValue = last ?? .nan
    }
}
