// poyang
// SPDX-License-Identifier: Apache-2.0

/// Hashes texts and numbers with a seed that the process drew, so that nobody can send labels that all collide.
///
/// Two texts that Swift holds for equal (canonical equivalence) have equal hashes, whatever their bytes are.
struct LabelHash: Sendable {
    private static let seeds: (UInt64, UInt64, UInt64) = (
        .random(in: 0...(.max)), .random(in: 0...(.max)), .random(in: 0...(.max))
    )

    private let first: UInt64
    private let second: UInt64
    private let third: UInt64

    init() {
        (self.first, self.second, self.third) = Self.seeds
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// Of a text in UTF-8 that belongs to `owner`, such as the value of that name.
    @inline(__always)
    func hash(_ text: UnsafeBufferPointer<UInt8>, owner: UInt32) -> UInt64 {
        var seenBits: UInt64 = 0
        let result = self.hash(text, owner: owner, bits: &seenBits)
        return seenBits & 0x8080_8080_8080_8080 == 0 ? result : self.hashBeyondASCII(text, owner: owner)
    }

    @inline(__always)
    private func hash(_ text: UnsafeBufferPointer<UInt8>, owner: UInt32, bits: inout UInt64) -> UInt64 {
        var state = Self.fold(UInt64(owner) ^ self.first, UInt64(truncatingIfNeeded: text.count) ^ self.second)
        guard let base = text.baseAddress else { return Self.fold(state ^ self.third, self.first) }
        let bytes = UnsafeRawPointer(base)
        var offset = 0
        while offset + 8 <= text.count {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            bits |= word
            state = Self.fold(state ^ word, self.third)
            offset += 8
        }
        if offset < text.count {
            var word: UInt64 = 0
            if text.count >= 8 {
                word = bytes.loadUnaligned(fromByteOffset: text.count - 8, as: UInt64.self)
            } else {
                for index in offset..<text.count { word = word << 8 | UInt64(text[index]) }
            }
            bits |= word
            state = Self.fold(state ^ word, self.second)
        }
        return Self.fold(state ^ self.third, self.first)
    }

    /// Of the numbers that make up a series.
    @inline(__always)
    func hash(_ words: UnsafeBufferPointer<UInt32>) -> UInt64 {
        var state = UInt64(truncatingIfNeeded: words.count) ^ self.second
        for word in words { state = Self.fold(state ^ UInt64(word) ^ self.third, self.first) }
        return Self.fold(state ^ self.second, self.third)
    }

    /// The standard library's hash looks through the normal form.
    ///
    /// Three characters beyond ASCII have one within it as their normal form; a text that is ASCII but for them is
    /// hashed as that.
    @inline(never)
    private func hashBeyondASCII(_ text: UnsafeBufferPointer<UInt8>, owner: UInt32) -> UInt64 {
        let string = String(decoding: text, as: UTF8.self)
        var plain: [UInt8] = []
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\u{37E}": plain.append(UInt8(ascii: ";"))
            case "\u{1FEF}": plain.append(UInt8(ascii: "`"))
            case "\u{212A}": plain.append(UInt8(ascii: "K"))
            default:
                guard scalar.isASCII else {
                    var hasher = Hasher()
                    hasher.combine(string)
                    let value = UInt64(truncatingIfNeeded: hasher.finalize())
                    return Self.fold(value ^ self.first, UInt64(owner) ^ self.second)
                }
                plain.append(UInt8(scalar.value))
            }
        }
        return plain.withUnsafeBufferPointer { plain in
            var bits: UInt64 = 0
            return self.hash(plain, owner: owner, bits: &bits)
        }
    }
}
