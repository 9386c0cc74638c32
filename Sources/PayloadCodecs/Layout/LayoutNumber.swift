// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension LayoutDecoder {
    /// A number as it stands in the bytes.
    enum Raw {
        case value(Double)
        /// The bytes end before it.
        case beyond
        /// It is not of its kind.
        case invalid
    }

    /// Reads a number within `extent`.
    static func raw(_ number: PayloadLayout.Number, _ bytes: Span<UInt8>, _ extent: Range<Int>) -> Raw {
        let start = number.at < 0 ? extent.upperBound + number.at : extent.lowerBound + number.at
        guard start >= extent.lowerBound, start + number.width <= extent.upperBound else { return .beyond }
        var word: UInt64 = 0
        for index in 0..<number.width {
            word = word << 8 | UInt64(bytes[start + number.order.place(index, of: number.width)])
        }
        switch number.kind {
        case .unsigned: return .value(Double(self.cut(word, number)))
        case .signed:
            let width = number.bits > 0 ? number.bits : number.width * 8
            let distance = UInt64(64 - width)
            return .value(Double(Int64(bitPattern: self.cut(word, number) << distance) >> Int64(distance)))
        case .float:
            switch number.width {
            case 2: return .value(self.half(UInt16(truncatingIfNeeded: word)))
            case 4: return .value(Double(Float(bitPattern: UInt32(truncatingIfNeeded: word))))
            default: return .value(Double(bitPattern: word))
            }
        case .packedDecimal:
            var value = 0.0
            for shift in stride(from: number.width * 8 - 8, through: 0, by: -8) {
                guard let pair = PackedDecimal.pair(UInt8(truncatingIfNeeded: word >> UInt64(shift))) else {
                    return .invalid
                }
                value = value * 100 + Double(pair)
            }
            return .value(value)
        }
    }

    private static func cut(_ word: UInt64, _ number: PayloadLayout.Number) -> UInt64 {
        guard number.bits > 0, number.bits < 64 else { return word }
        return word >> UInt64(number.shift) & (1 << UInt64(number.bits) - 1)
    }

    /// A number of IEEE 754's 16 bits.
    private static func half(_ bits: UInt16) -> Double {
        let sign = bits >> 15 == 0 ? 1.0 : -1.0
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Double(bits & 0x3FF)
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * (1024 + fraction) * Double(sign: .plus, exponent: exponent - 25, significand: 1)
        }
    }
}

extension PayloadLayout.Order {
    /// Where the byte stands that counts as the `index`-th from the highest.
    func place(_ index: Int, of width: Int) -> Int {
        switch self {
        case .big: index
        case .little: width - 1 - index
        case .bigLowWordFirst: width - 2 - (index & ~1) + (index & 1)
        }
    }
}

extension PayloadLayout.Field {
    /// The value of a raw number.
    func value(_ raw: Double) -> Double {
        var value = ((raw - self.base) * self.multiplier + self.offset * self.divisor) / self.divisor
        if let last = self.polynomial.last {
            let scaled = value
            value = last
            for coefficient in self.polynomial.dropLast().reversed() { value = value * scaled + coefficient }
        }
        guard let decimals else { return value }
        let power = Self.powersOfTen[decimals]
        return (value * power).rounded() / power
    }

    /// 10^0 … 10^9, all exact.
    private static let powersOfTen: [Double] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
}
