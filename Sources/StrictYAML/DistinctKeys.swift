// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// The text of a file in which a key that stands again is told apart, so that reading goes on and finds all that is wrong.
///
/// The first character of such a key is moved to a plane for private use, which changes no place in the text.
struct DistinctKeys {
    private static let plane: UInt32 = 0x1_0000
    private static let privatePlanes: ClosedRange<UInt32> = 0xF_0000...0x10_FFFF

    private(set) var text: String

    /// Tells the key at a place apart from those that are called the same.
    ///
    /// - Returns: Whether that could be done: not at its fourth time, and not for an alias or a key with a tag.
    mutating func tellApart(_ mark: Mark) -> Bool {
        var scalars = Array(self.text.unicodeScalars)
        guard var index = Self.index(of: mark, in: scalars) else { return false }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard index < scalars.count, !"&*!?".unicodeScalars.contains(scalars[index]) else { return false }
        let value = scalars[index].value
        let moved = Self.privatePlanes.contains(value) ? value + Self.plane : Self.privatePlanes.lowerBound + value
        guard Self.privatePlanes.contains(moved), let scalar = Unicode.Scalar(moved) else { return false }
        scalars[index] = scalar
        self.text = String(String.UnicodeScalarView(scalars))
        return true
    }

    /// A key as it was written.
    static func written(_ key: String) -> String {
        guard let first = key.unicodeScalars.first, self.privatePlanes.contains(first.value),
            let scalar = Unicode.Scalar(first.value % self.plane)
        else { return key }
        return String(scalar) + String(key.unicodeScalars.dropFirst())
    }

    private static func index(of mark: Mark, in scalars: [Unicode.Scalar]) -> Int? {
        var index = 0
        for _ in 1..<max(1, mark.line) {
            guard let end = scalars[index...].firstIndex(where: \.isLineBreak) else { return nil }
            let isPair = scalars[end] == "\r" && end + 1 < scalars.count && scalars[end + 1] == "\n"
            index = end + (isPair ? 2 : 1)
        }
        index += mark.column - 1
        return index < scalars.count ? index : nil
    }
}

extension Unicode.Scalar {
    /// As YAML 1.1 has it.
    fileprivate var isLineBreak: Bool {
        ["\r", "\n", "\u{85}", "\u{2028}", "\u{2029}"].contains(self)
    }
}
