// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// What a chunk holds, known without decoding it.
///
/// The bytes of ``write(to:base:)``:
///
/// ```
/// ┌───────┬────────┬───────────────┬─────────────────────┬─────────────┬───────────┐
/// │ flags │ count  │ first time    │ last − first        │ qualities   │ numbers   │
/// │ u8    │ varint │ signed varint │ varint, in units    │ u16 unless  │ see below │
/// │       │        │ − base, units │                     │ flag 0x20   │           │
/// └───────┴────────┴───────────────┴─────────────────────┴─────────────┴───────────┘
/// flags     0x03 numbers: 0 none (all NaN), 1 decimal, 2 binary; 0x04 a NaN is among the values;
///           0x08, 0x10 the first, the last value follows as f64 bits; 0x20 all marks are "not evaluated";
///           0xC0 unit of the two times: 0 ms, 1 s, 2 min
/// decimal   exponent u8; minimum signed varint; maximum − minimum varint; sum − count × minimum signed varint;
///           unless flagged: first − minimum varint, last − minimum varint; all integers of 10^−exponent
/// binary    minimum, maximum and sum as f64 bits, LE
/// none      nothing
/// then      the first and the last value as f64 bits where flagged
/// ```
/// Differences wrap in 64 bits.
package struct ChunkStatistics: Sendable {
    /// The numbers among the values, NaN left out.
    package enum Numbers: Sendable, Equatable {
        /// Every value is NaN.
        case none
        /// All are integers divided by 10^exponent; the sum is exact.
        case decimal(exponent: Int, minimum: Int64, maximum: Int64, sum: Int64)
        /// Some are no decimals, or the sum does not fit; the sum is that of doubles in order of time.
        case binary(minimum: Double, maximum: Double, sum: Double)
    }

    /// Of all samples, at least 1.
    package var count: Int
    package var firstTime: Timestamp
    package var lastTime: Timestamp
    /// The QARTOD flags that occur, bit 1 << flag; as ``QualitySet``.
    package var qualities: UInt16
    package var hasNaN: Bool
    package var numbers: Numbers
    /// Of the first sample, with its exact bits, also if it is NaN.
    package var firstValue: Double
    /// Of the last sample, with its exact bits, also if it is NaN.
    package var lastValue: Double

    /// Of the decimals; nil where the values are not all decimals.
    package var exponent: Int? {
        if case .decimal(let exponent, _, _, _) = self.numbers { exponent } else { nil }
    }

    /// Nil where every value is NaN.
    package var minimum: Double? {
        switch self.numbers {
        case .none: nil
        case .decimal(let exponent, let minimum, _, _): Double(minimum) / DecimalScale.powers[exponent]
        case .binary(let minimum, _, _): minimum
        }
    }

    /// Nil where every value is NaN.
    package var maximum: Double? {
        switch self.numbers {
        case .none: nil
        case .decimal(let exponent, _, let maximum, _): Double(maximum) / DecimalScale.powers[exponent]
        case .binary(_, let maximum, _): maximum
        }
    }

    /// Zero where every value is NaN.
    package var sum: Double {
        switch self.numbers {
        case .none: 0
        case .decimal(let exponent, _, _, let sum): Double(sum) / DecimalScale.powers[exponent]
        case .binary(_, _, let sum): sum
        }
    }
}

extension ChunkStatistics: Equatable {
    /// By bits, so that NaN equals itself.
    package static func == (left: ChunkStatistics, right: ChunkStatistics) -> Bool {
        left.count == right.count && left.firstTime == right.firstTime && left.lastTime == right.lastTime
            && left.qualities == right.qualities && left.hasNaN == right.hasNaN
            && left.firstValue.bitPattern == right.firstValue.bitPattern
            && left.lastValue.bitPattern == right.lastValue.bitPattern
            && left.exponent == right.exponent
            && left.minimum?.bitPattern == right.minimum?.bitPattern
            && left.maximum?.bitPattern == right.maximum?.bitPattern
            && left.sum.bitPattern == right.sum.bitPattern
    }
}
