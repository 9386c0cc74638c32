// poyang
// SPDX-License-Identifier: Apache-2.0

/// The values of a chunk: sensors send decimals, so integers of a common power of ten where that is exact.
enum DecimalColumn {
    private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
    /// Below this, doubles hold every integer.
    private static let limit = 9_007_199_254_740_992.0

    static func encode(_ values: [Double], into writer: inout ByteWriter) {
        guard let (exponent, exceptions) = self.scale(for: values) else {
            writer.byte(0)
            writer.byte(0)
            for value in values { writer.fixed(value.bitPattern) }
            return
        }
        writer.byte(1)
        writer.byte(UInt8(exponent))
        var runs = RunEncoder()
        var previous: Int64 = 0
        var next = 0
        for (index, value) in values.enumerated() {
            if next < exceptions.count, exceptions[next] == index {
                next += 1
                runs.append(0, to: &writer)
            } else {
                let integer = self.integer(value, exponent) ?? previous
                runs.append(integer - previous, to: &writer)
                previous = integer
            }
        }
        runs.finish(&writer)
        writer.count(exceptions.count)
        var before = 0
        for index in exceptions {
            writer.count(index - before)
            writer.fixed(values[index].bitPattern)
            before = index
        }
    }

    static func decode(_ reader: inout ByteReader, count: Int) throws(DamagedBytes) -> [Double] {
        let mode = try reader.byte()
        let exponent = Int(try reader.byte())
        guard mode <= 1, exponent < self.powers.count else { throw reader.damaged("has an unknown value mode") }
        var values: [Double] = []
        values.reserveCapacity(count)
        guard mode == 1 else {
            for _ in 0..<count { values.append(Double(bitPattern: try reader.fixed64())) }
            return values
        }
        let power = self.powers[exponent]
        var runs = RunDecoder()
        var integer: Int64 = 0
        for _ in 0..<count {
            integer &+= try runs.next(&reader)
            values.append(Double(integer) / power)
        }
        guard runs.isExhausted else { throw reader.damaged("has too many values") }
        var index = 0
        for _ in 0..<(try reader.count(ofSize: 9)) {
            guard let step = Int(exactly: try reader.varint()), step < count - index else {
                throw reader.damaged("has an exception outside its values")
            }
            index += step
            values[index] = Double(bitPattern: try reader.fixed64())
        }
        return values
    }

    /// The smallest exponent that serves all values but the exceptions; nil when those are too many.
    private static func scale(for values: [Double]) -> (exponent: Int, exceptions: [Int])? {
        var exponent = 0
        for value in values where self.integer(value, exponent) == nil {
            if let needed = (exponent..<self.powers.count).first(where: { self.integer(value, $0) != nil }) {
                exponent = needed
            }
        }
        let exceptions = values.indices.filter { self.integer(values[$0], exponent) == nil }
        return exceptions.count * 8 <= values.count ? (exponent, exceptions) : nil
    }

    /// The integer that, divided by the power of ten, has exactly the bits of `value`.
    @inline(__always)
    private static func integer(_ value: Double, _ exponent: Int) -> Int64? {
        let scaled = (value * self.powers[exponent]).rounded()
        guard scaled.magnitude < self.limit else { return nil }
        let integer = Int64(scaled)
        // By way of the integer, as it will be read: −0 has none.
        guard (Double(integer) / self.powers[exponent]).bitPattern == value.bitPattern else { return nil }
        return integer
    }
}

/// Writes numbers, runs of zeros as one.
struct RunEncoder {
    private var zeros = 0

    mutating func append(_ number: Int64, to writer: inout ByteWriter) {
        if number == 0 {
            self.zeros += 1
        } else {
            self.finish(&writer)
            writer.signed(number)
        }
    }

    mutating func finish(_ writer: inout ByteWriter) {
        guard self.zeros > 0 else { return }
        writer.byte(0)
        writer.count(self.zeros - 1)
        self.zeros = 0
    }
}

/// Reads what ``RunEncoder`` wrote.
struct RunDecoder {
    private var zeros: UInt64 = 0

    var isExhausted: Bool { self.zeros == 0 }

    mutating func next(_ reader: inout ByteReader) throws(DamagedBytes) -> Int64 {
        if self.zeros > 0 {
            self.zeros -= 1
            return 0
        }
        let number = try reader.signed()
        if number == 0 { self.zeros = try reader.varint() }
        return number
    }
}
