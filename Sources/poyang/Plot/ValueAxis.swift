// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The axis of values: bounds and ticks at 1, 2 or 5 times a power of ten.
struct ValueAxis: Equatable {
    let low: Double
    let high: Double
    /// Rising, in `low...high`.
    let ticks: [Double]
    /// Decimals that tell the ticks apart; nil where an exponent is shorter.
    private let decimals: Int?
    /// Digits that tell them apart.
    private let digits: Int

    /// Fits an axis with `most` ticks at most, at least 2, around the values that are finite.
    init(of values: some Sequence<Double>, most: Int) {
        var least = Double.infinity
        var greatest = -Double.infinity
        for value in values where value.isFinite {
            least = min(least, value)
            greatest = max(greatest, value)
        }
        if least > greatest { (least, greatest) = (0, 1) }
        if least == greatest {
            let margin = least == 0 ? 1 : abs(least) * 0.05
            (least, greatest) = (least - margin, greatest + margin)
        }
        // Halves, so that the distance of numbers near the greatest is finite.
        let step = Self.step(greatest / 2 - least / 2, intervals: max(1, most - 1))
        var first = (least / step).rounded(.down)
        var last = (greatest / step).rounded(.up)
        if !(step.isFinite && step > 0 && first.isFinite && last.isFinite && last - first <= 1000 && last > first) {
            // No round number lies between them.
            (self.low, self.high, self.ticks) = (least, greatest, [least, greatest])
            (self.decimals, self.digits) = (nil, 6)
            return
        }
        // A tick beyond a bound only where it is near.
        if least - first * step > step * 0.7 { first += 1 }
        if last * step - greatest > step * 0.7 { last -= 1 }
        self.ticks = stride(from: first, through: max(first, last), by: 1).map { $0 * step }
        self.low = min(least, self.ticks.first ?? least)
        self.high = max(greatest, self.ticks.last ?? greatest)
        let magnitude = max(abs(self.low), abs(self.high))
        let decimals = max(0, -Int(log10(step).rounded(.down)))
        self.decimals = magnitude < 1e7 && decimals <= 6 ? decimals : nil
        self.digits = min(15, max(1, Int(log10(magnitude).rounded(.down)) - Int(log10(step).rounded(.down)) + 1))
    }

    /// The distance of two ticks, where `half` is half of the distance to cover.
    private static func step(_ half: Double, intervals: Int) -> Double {
        let rough = half / Double(intervals) * 2
        guard rough.isFinite, rough > 0 else { return rough }
        let power = pow(10, log10(rough).rounded(.down))
        return ([1, 2, 5, 10].first { $0 * power >= rough * (1 - 1e-9) } ?? 10) * power
    }

    /// A tick as people read it.
    func text(_ value: Double) -> String {
        if let decimals = self.decimals { return String(format: "%.*f", decimals, value) }
        return String(format: "%.*g", self.digits, value)
    }
}
