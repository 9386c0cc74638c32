// poyang
// SPDX-License-Identifier: Apache-2.0

extension Sequence<UInt8> {
    /// Two digits for each byte: `7e7e`.
    package func hexadecimal(uppercase: Bool = false) -> String {
        let letters = UInt8(ascii: uppercase ? "A" : "a") - 10
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * self.underestimatedCount)
        for byte in self {
            for half in [byte >> 4, byte & 15] { digits.append(half < 10 ? UInt8(ascii: "0") + half : letters + half) }
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
