// poyang
// SPDX-License-Identifier: Apache-2.0

extension JSONScanner {
    /// Reads a number and rounds it correctly to a double; infinite when it is beyond what a double can hold.
    ///
    /// A significand below 2^53 with a power of ten up to 10^22 is exact in one multiplication or division, since both
    /// operands are exact (Clinger 1990); sensors send nothing else. The rest takes the standard library's way.
    mutating func number(_ bytes: Span<UInt8>) throws(JSONError) -> Double {
        let start = self.position
        let isNegative = bytes[start] == UInt8(ascii: "-")
        if isNegative { self.advance() }
        var decimal = Decimal()
        let first = self.position
        self.digits(bytes, into: &decimal)
        let count = self.position - first
        guard count > 0 else { throw self.unexpected(bytes, expected: "a digit") }
        guard count == 1 || bytes[first] != UInt8(ascii: "0") else {
            throw JSONError(offset: first, message: "a number must not begin with 0")
        }
        if self.position < bytes.count, bytes[self.position] == UInt8(ascii: ".") {
            self.advance()
            let point = self.position
            self.digits(bytes, into: &decimal)
            guard self.position > point else { throw self.unexpected(bytes, expected: "a digit after the point") }
            decimal.exponent -= self.position - point
        }
        if self.position < bytes.count, bytes[self.position] | 0x20 == UInt8(ascii: "e") {
            try self.exponent(bytes, into: &decimal)
        }
        if let exact = decimal.exact { return isNegative ? -exact : exact }
        return Self.slowNumber(start..<self.position, bytes)
    }

    /// The digits of a number so far.
    private struct Decimal {
        var significand: UInt64 = 0
        var exponent = 0
        /// False when digits did not fit.
        var isWhole = true

        var exact: Double? {
            guard self.isWhole, self.significand <= 1 << 53 else { return nil }
            if self.exponent == 0 { return Double(self.significand) }
            guard abs(self.exponent) < powersOfTen.count else { return nil }
            let power = powersOfTen[abs(self.exponent)]
            return self.exponent < 0 ? Double(self.significand) / power : Double(self.significand) * power
        }
    }

    private mutating func digits(_ bytes: Span<UInt8>, into decimal: inout Decimal) {
        while self.position < bytes.count {
            let digit = bytes[self.position] &- UInt8(ascii: "0")
            guard digit <= 9 else { return }
            if decimal.significand < 1_000_000_000_000_000_000 {
                decimal.significand = decimal.significand * 10 + UInt64(digit)
            } else {
                decimal.isWhole = false
            }
            self.advance()
        }
    }

    private mutating func exponent(_ bytes: Span<UInt8>, into decimal: inout Decimal) throws(JSONError) {
        self.advance()
        var sign = 1
        if self.position < bytes.count {
            if bytes[self.position] == UInt8(ascii: "-") { sign = -1 }
            if sign == -1 || bytes[self.position] == UInt8(ascii: "+") { self.advance() }
        }
        let start = self.position
        var exponent = 0
        while self.position < bytes.count {
            let digit = bytes[self.position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            // Beyond a million nothing changes any more, and the sum cannot overflow.
            if exponent < 1_000_000 { exponent = exponent * 10 + Int(digit) }
            self.advance()
        }
        guard self.position > start else { throw self.unexpected(bytes, expected: "a digit of the exponent") }
        decimal.exponent += sign * exponent
    }

    private static func slowNumber(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Double {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        for index in range { text.append(bytes[index]) }
        return Double(String(decoding: text, as: UTF8.self)) ?? .infinity
    }
}

/// 10^0 … 10^22, all exact.
private let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]
