// poyang
// SPDX-License-Identifier: Apache-2.0

/// Reads decimal numbers, correctly rounded, without an allocation for what sensors send.
///
/// A significand up to 2^53 with a power of ten up to 10^22 is exact in one multiplication or division, since both
/// operands are exact (Clinger 1990). Of the digits, eight at a time are turned into a number within one register.
enum DecimalScanner {
    private static let zeros: UInt64 = 0x3030_3030_3030_3030
    private static let high: UInt64 = 0x8080_8080_8080_8080
    private static let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F

    /// The high bit of each byte that is no digit; `nibbles` are the bytes exclusive-or `0`.
    @inline(__always)
    private static func stops(_ nibbles: UInt64) -> UInt64 {
        (((nibbles & Self.low) &+ 0x7676_7676_7676_7676) | nibbles) & Self.high
    }

    @inline(__always)
    private static func load(_ at: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
    }

    /// Eight digits, the first of them in the lowest byte.
    @inline(__always)
    private static func number(_ digits: UInt64) -> UInt64 {
        let pairs = (digits &* 10 &+ (digits >> 8)) & 0x00FF_00FF_00FF_00FF
        let fours = (pairs &* 100 &+ (pairs >> 16)) & 0x0000_FFFF_0000_FFFF
        return (fours &* 10_000 &+ (fours >> 32)) & 0xFFFF_FFFF
    }

    /// A number of at most seven characters behind its sign, in JSON's form, with no exponent.
    ///
    /// - Returns: How many bytes it has; 0 where ``general(_:_:isJSON:)`` has to decide.
    @inline(__always)
    static func short(_ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ value: inout Double) -> Int {
        guard end - at >= 9 else { return 0 }
        let sign = at.pointee == UInt8(ascii: "-") ? 1 : 0
        let digits = at + sign
        let nibbles = Self.load(digits) ^ Self.zeros
        let stops = Self.stops(nibbles)
        let first = stops.trailingZeroBitCount >> 3
        guard first &- 1 < 7, first >= 1, nibbles & 0xFF != 0 || first == 1 else { return 0 }
        let magnitude: Double
        let length: Int
        if digits[first] == UInt8(ascii: ".") {
            let rest = stops & (stops &- 1)
            let second = rest.trailingZeroBitCount >> 3
            guard second < 8, second > first &+ 1 else { return 0 }
            let whole = (1 as UInt64) << (8 &* UInt64(first)) &- 1
            let packed = (nibbles & whole) | ((nibbles >> 8) & ~whole)
            let number = Self.number(packed << UInt64(8 &* (9 &- second)))
            magnitude = Double(number) / Self.power(second &- first &- 1)
            length = second
        } else {
            magnitude = Double(Self.number(nibbles << UInt64(8 &* (8 &- first))))
            length = first
        }
        let stop = digits[length]
        guard stop | 0x20 != UInt8(ascii: "e"), stop != UInt8(ascii: ".") else { return 0 }
        value = sign == 0 ? magnitude : -magnitude
        return length &+ sign
    }

    /// An integer of eight to fifteen digits, as Unix milliseconds are.
    ///
    /// - Returns: How many bytes it has; 0 where ``integer(_:_:)`` has to decide.
    @inline(__always)
    static func long(_ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ value: inout Int64) -> Int {
        guard end - at >= 16 else { return 0 }
        let upper = Self.load(at) ^ Self.zeros
        let lower = Self.load(at + 8) ^ Self.zeros
        let count = Self.stops(lower).trailingZeroBitCount >> 3
        guard Self.stops(upper) == 0, count < 8, upper & 0xFF != 0 else { return 0 }
        // Shifting by 64 gives 0.
        let tail = Self.number(lower << UInt64(8 &* (8 &- count)))
        value = Int64(bitPattern: Self.number(upper) &* Self.wholePower(count) &+ tail)
        return 8 &+ count
    }

    /// An optional minus and at most 18 digits; nil for anything else.
    ///
    /// `at` is moved behind the digits.
    static func integer(_ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int64? {
        let isNegative = at < end && at.pointee == UInt8(ascii: "-")
        if isNegative { at += 1 }
        var number: Int64 = 0
        var count = 0
        while at < end, PrometheusName.isDigit(at.pointee) {
            guard count < 18 else { return nil }
            number = number * 10 + Int64(at.pointee &- 0x30)
            count += 1
            at += 1
        }
        guard count > 0 else { return nil }
        return isNegative ? -number : number
    }

    /// Any finite decimal number; nil where none stands here, or where it is beyond what a double can hold.
    ///
    /// JSON has no `+`, no leading zeros, and digits on both sides of a point; elsewhere these are taken.
    static func general(
        _ at: inout UnsafePointer<UInt8>,
        _ end: UnsafePointer<UInt8>,
        isJSON: Bool
    ) -> Double? {
        let start = at
        let isNegative = at < end && at.pointee == UInt8(ascii: "-")
        if isNegative || (!isJSON && at < end && at.pointee == UInt8(ascii: "+")) { at += 1 }
        var digits = Digits()
        let first = at
        digits.take(&at, end)
        let before = at - first
        if isJSON, before == 0 || (before > 1 && first.pointee == 0x30) { return nil }
        var after = 0
        if at < end, at.pointee == UInt8(ascii: ".") {
            at += 1
            let point = at
            digits.take(&at, end)
            after = at - point
            if isJSON, after == 0 { return nil }
        }
        guard before + after > 0 else { return nil }
        var exponent = -after
        if at < end, at.pointee | 0x20 == UInt8(ascii: "e") {
            at += 1
            let isSmall = at < end && at.pointee == UInt8(ascii: "-")
            if isSmall || (at < end && at.pointee == UInt8(ascii: "+")) { at += 1 }
            let start = at
            var power = 0
            while at < end, PrometheusName.isDigit(at.pointee) {
                // Beyond a million nothing changes any more, and the sum cannot overflow.
                if power < 1_000_000 { power = power * 10 + Int(at.pointee &- 0x30) }
                at += 1
            }
            guard at > start else { return nil }
            exponent += isSmall ? -power : power
        }
        if digits.isWhole, digits.significand <= 1 << 53, abs(exponent) <= 22 {
            let number = Double(digits.significand)
            let magnitude = exponent < 0 ? number / Self.power(-exponent) : number * Self.power(exponent)
            return isNegative ? -magnitude : magnitude
        }
        let text = String(decoding: UnsafeBufferPointer(start: start, count: at - start), as: UTF8.self)
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// The digits of a number so far.
    private struct Digits {
        var significand: UInt64 = 0
        /// False when digits did not fit.
        var isWhole = true

        @inline(__always)
        mutating func take(_ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) {
            while at < end, PrometheusName.isDigit(at.pointee) {
                if self.significand < 1_000_000_000_000_000_000 {
                    self.significand = self.significand &* 10 &+ UInt64(at.pointee &- 0x30)
                } else {
                    self.isWhole = false
                }
                at += 1
            }
        }
    }

    /// 10^0 … 10^22, all exact.
    @inline(__always)
    private static func power(_ exponent: Int) -> Double { powersOfTen[exponent] }

    /// 10^0 … 10^7.
    @inline(__always)
    private static func wholePower(_ exponent: Int) -> UInt64 { wholePowersOfTen[exponent] }
}

private let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]

private let wholePowersOfTen: [UInt64] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]
