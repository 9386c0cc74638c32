// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML

extension YAMLValue {
    /// A whole number, decimal or `0x…`, in a range.
    ///
    /// `zh` is `what` in Chinese, where it is no key.
    func whole(in range: ClosedRange<Int>, _ what: String, zh: String? = nil) -> Int? {
        guard let number = self.wideNumber else { return nil }
        guard let whole = Int(exactly: number), range.contains(whole) else {
            self.report(
                "\(what) is a whole number from \(range.lowerBound) to \(range.upperBound)",
                zh: "\(zh ?? what) 应为 \(range.lowerBound) 至 \(range.upperBound) 的整数"
            )
            return nil
        }
        return whole
    }

    /// A number, decimal or `0x…`.
    var wideNumber: Double? {
        guard let text = self.textIfScalar, text.hasPrefix("0x") || text.hasPrefix("0X") else {
            return self.double
        }
        guard let number = UInt64(text.dropFirst(2), radix: 16) else {
            self.report("'\(text)' is no hexadecimal number such as 0x7F", zh: "“\(text)”不是十六进制数，如 0x7F")
            return nil
        }
        return Double(number)
    }

    /// One port or a list of them.
    var ports: [Int] {
        (self.isList ? self.list ?? [] : [self]).compactMap { $0.whole(in: 1...255, "a port", zh: "端口") }
    }

    /// One bit, or a list of the lowest and the highest: `5`, `[0, 13]`.
    var bitRange: ClosedRange<Int>? {
        guard self.isList else { return self.whole(in: 0...63, "a bit", zh: "位").map { $0...$0 } }
        let bounds = (self.list ?? []).compactMap { $0.whole(in: 0...63, "a bit", zh: "位") }
        guard bounds.count == 2, bounds[0] <= bounds[1] else {
            self.report(
                "'bits' are one bit or the lowest and the highest: 5 or [0, 13]",
                zh: "bits 为一位，或最低位和最高位：5 或 [0, 13]"
            )
            return nil
        }
        return bounds[0]...bounds[1]
    }

    /// A factor as numerator and denominator, both whole where it is a decimal or `1/16`.
    var fraction: (Double, Double)? {
        guard let text = self.string else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let over = Double(parts[0]), let under = Double(parts[1]), over.isFinite, over != 0,
            under > 0
        {
            return (over, under)
        }
        guard let number = Double(text), number != 0, number.isFinite else {
            self.report(
                "a scale is a number other than 0, or a fraction such as 1/16; found '\(text.prefix(40))'",
                zh: "scale 应为非零的数，或 1/16 这样的分数；现为“\(text.prefix(40))”"
            )
            return nil
        }
        let decimals = text.split(separator: ".", omittingEmptySubsequences: false)
        guard decimals.count == 2, (1...9).contains(decimals[1].utf8.count),
            !text.contains(where: { $0 == "e" || $0 == "E" })
        else { return (number, 1) }
        var divisor = 1.0
        for _ in decimals[1].utf8 { divisor *= 10 }
        return ((number * divisor).rounded(), divisor)
    }
}
