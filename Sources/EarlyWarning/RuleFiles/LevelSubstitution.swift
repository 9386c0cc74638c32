// poyang
// SPDX-License-Identifier: Apache-2.0

/// A text with `$level` and `$threshold` replaced, which knows where each byte came from.
struct LevelSubstitution {
    private(set) var text = ""
    /// Where pieces begin, in the text and in the original, rising; and whether a piece is copied as it was.
    private var pieces: [(output: Int, input: Int, isCopy: Bool)] = []

    /// Replaces `$level` by `level` and `$threshold` by `threshold`; nil leaves the name as it is.
    init(_ source: String, level: String?, threshold: String?) {
        var rest = Substring(source)
        var input = 0
        func copy(_ piece: Substring) {
            self.pieces.append((self.text.utf8.count, input, true))
            self.text += piece
            input += piece.utf8.count
        }
        while let dollar = rest.firstIndex(of: "$") {
            copy(rest[..<dollar])
            let name = rest[rest.index(after: dollar)...].prefix { $0.isLetter || $0 == "_" }
            let end = name.endIndex
            let replacement = name == "level" ? level : name == "threshold" ? threshold : nil
            if let replacement {
                self.pieces.append((self.text.utf8.count, input, false))
                self.text += replacement
                input += rest[dollar..<end].utf8.count
            } else {
                copy(rest[dollar..<end])
            }
            rest = rest[end...]
        }
        copy(rest)
    }

    /// The byte of the original from which a byte of the text came.
    func original(of offset: Int) -> Int {
        guard let piece = self.pieces.last(where: { $0.output <= offset }) else { return offset }
        return piece.isCopy ? piece.input + offset - piece.output : piece.input
    }
}
