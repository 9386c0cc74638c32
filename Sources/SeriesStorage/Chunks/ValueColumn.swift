// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The values of a chunk as integers: decimals of a common power of ten where that is exact, else their bits.
///
/// ```
/// ┌──────┬──────────────────────┬──────────────┬────────────────────────┐
/// │ form │ first, signed varint │ rest         │ exceptions             │
/// │ u8   │ for each difference  │IntegerColumn │ only of decimals       │
/// └──────┴──────────────────────┴──────────────┴────────────────────────┘
/// form        0x0F what the integers are: 0...9 value × 10^form, 14 the bits of Float, 15 the bits of Double;
///             0x30 how often differences were taken: 0, 1, 2; each gives its first number and leaves one fewer
/// exceptions  count varint; each: (index − previous index) × 2 varint, + 1 if its bits are those of the exception
///             before it; otherwise the bits, f64 LE
/// ```
/// A value is a decimal only if dividing gives its exact bits back; NaN, infinities, −0 and long binary fractions are
/// exceptions. Where they would cost more than the bits of all values, the chunk has no decimals. Differences wrap.
enum ValueColumn {
    private static let floatBits: UInt8 = 14
    private static let doubleBits: UInt8 = 15

    /// Appends the column; the numbers are for the statistics.
    static func encode(
        _ values: UnsafeBufferPointer<Double>,
        to writer: inout ByteWriter
    ) -> ChunkStatistics.Numbers {
        let count = values.count
        return withUnsafeTemporaryAllocation(of: Int64.self, capacity: 3 * count) { memory in
            guard let integers = memory.baseAddress else { return .none }
            guard let decimals = Decimals(values, into: integers) else {
                let isFloat = values.allSatisfy { Double(Float($0)).bitPattern == $0.bitPattern }
                for index in 0..<count {
                    integers[index] =
                        isFloat
                        ? Int64(Float(values[index]).bitPattern) : Int64(bitPattern: values[index].bitPattern)
                }
                self.encode(integers, count, form: isFloat ? self.floatBits : self.doubleBits, to: &writer)
                return ChunkStatistics.Numbers(values)
            }
            let numbers = ChunkStatistics.Numbers(integers, values, decimals)
            self.encode(integers, count, form: UInt8(decimals.exponent), to: &writer)
            decimals.writeExceptions(of: values, to: &writer)
            return numbers
        }
    }

    /// Takes differences as it pays; `memory` has room for three times the integers.
    private static func encode(
        _ memory: UnsafeMutablePointer<Int64>,
        _ count: Int,
        form: UInt8,
        to writer: inout ByteWriter
    ) {
        var best = 0
        var least = self.cost(memory, count)
        for order in 1...2 where count > order {
            let from = memory + (order - 1) * count
            let to = memory + order * count
            for index in 0..<count &- order { to[index] = from[index &+ 1] &- from[index] }
            let cost = self.cost(to, count - order)
            if cost < least {
                least = cost
                best = order
            }
        }
        writer.byte(form | UInt8(best) << 4)
        for order in 0..<best { writer.signed(memory[order * count]) }
        IntegerColumn.encode(
            UnsafeBufferPointer(start: memory + best * count, count: count - best),
            to: &writer
        )
    }

    /// Roughly the bits of the numbers: the entropy of their magnitudes, and the bits below the first.
    private static func cost(_ numbers: UnsafePointer<Int64>, _ count: Int) -> Double {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 256) { memory in
            guard let counts = memory.baseAddress else { return 0 }
            counts.update(repeating: 0, count: 256)
            var rest = 0
            for index in 0..<count {
                let (token, width) = IntegerColumn.bucket(IntegerColumn.zigzag(numbers[index]))
                counts[Int(token)] &+= 1
                rest &+= width
            }
            var bits = Double(rest)
            let total = log2Table(UInt32(count))
            for token in 0..<256 where counts[token] > 0 {
                bits += 6 + Double(counts[token]) * (total - log2Table(counts[token]))
            }
            return bits
        }
    }

    @inline(__always)
    private static func log2Table(_ number: UInt32) -> Double {
        // Linear between powers of two: at most 0.09 too small.
        let position = 31 - number.leadingZeroBitCount
        return Double(position) + Double(number) / Double(1 << UInt32(position)) - 1
    }

    static func decode(
        _ count: Int,
        into values: UnsafeMutablePointer<Double>,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        let form = try reader.byte()
        let order = Int(form >> 4)
        guard order <= 2, order < count else { throw reader.damaged("has an unknown form of values") }
        let kind = form & 0x0F
        var first: Int64 = 0
        var slope: Int64 = 0
        if order > 0 { first = try reader.signed() }
        if order > 1 { slope = try reader.signed() }
        // A double is as wide as an integer: they come into the same place, then turn into the values there.
        let integers = UnsafeMutableRawPointer(values).assumingMemoryBound(to: Int64.self)
        if let constant = try IntegerColumn.constant(from: &reader) {
            integers.update(repeating: constant, count: count)
        } else {
            try IntegerColumn.decode(count - order, into: integers + order, from: &reader)
        }
        // What stands before the differences becomes the first of the numbers that are summed up.
        if order > 1 {
            integers[1] = slope
            self.sum(integers + 1, count - 1)
        }
        if order > 0 { integers[0] = first }
        switch Int(kind) {
        case 0...DecimalScale.largestExponent:
            self.scale(integers, count, isSummed: order > 0, power: DecimalScale.powers[Int(kind)])
            try Decimals.readExceptions(count, into: values, from: &reader)
        case Int(self.floatBits):
            if order > 0 { self.sum(integers, count) }
            for index in 0..<count {
                let bits = UInt32(truncatingIfNeeded: integers[index])
                values[index] = Double(Float(bitPattern: bits))
            }
        case Int(self.doubleBits):
            if order > 0 { self.sum(integers, count) }
        default: throw reader.damaged("has an unknown form of values")
        }
    }

    private static func sum(_ integers: UnsafeMutablePointer<Int64>, _ count: Int) {
        var sum: Int64 = 0
        for index in 0..<count {
            sum &+= integers[index]
            integers[index] = sum
        }
    }

    private static func scale(
        _ integers: UnsafeMutablePointer<Int64>,
        _ count: Int,
        isSummed: Bool,
        power: Double
    ) {
        let values = UnsafeMutableRawPointer(integers).assumingMemoryBound(to: Double.self)
        if isSummed { self.sum(integers, count) }
        for index in 0..<count { values[index] = Double(integers[index]) / power }
    }
}
