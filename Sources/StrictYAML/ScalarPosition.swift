// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Yams

extension YAMLValue {
    /// Reports `message` at a byte of this scalar's text; see ``problem(_:atByte:source:)``.
    package func report(_ message: String, atByte offset: Int, source: [Substring]) {
        self.problems.report(self.problem(message, atByte: offset, source: source))
    }

    /// Makes a problem at a byte of this scalar's text, so that an error inside an embedded language points into the
    /// file.
    ///
    /// A line break counts as one byte in every style of YAML scalar; escapes of quoted scalars are not undone, so a
    /// place after one may be off by its length.
    ///
    /// - Parameters:
    ///   - message: What is wrong and what would be right.
    ///   - offset: Bytes of UTF-8 from the beginning of the scalar's text.
    ///   - source: The text of the whole file.
    /// - Returns: The problem, with its line and column.
    package func problem(_ message: String, atByte offset: Int, source: [Substring]) -> Problem {
        guard let mark = self.node.mark, let scalar = self.node.scalar else { return self.problem(message) }
        var line = mark.line - 1
        var dropped = mark.column - 1
        let isBlock = scalar.style == .literal || scalar.style == .folded
        if isBlock {
            line += 1
            let first = source.dropFirst(line).first { !$0.allSatisfy { $0 == " " } }
            dropped = first.map { $0.prefix { $0 == " " }.count } ?? 0
        } else if scalar.style == .singleQuoted || scalar.style == .doubleQuoted {
            dropped += 1
        }
        var remaining = offset
        while line < source.count {
            let text = source[line].dropFirst(dropped)
            if remaining <= text.utf8.count || line == source.count - 1 {
                let characters = String(decoding: text.utf8.prefix(remaining), as: UTF8.self).count
                let column = dropped + characters + 1
                return Problem(file: self.file, line: line + 1, column: column, message: message)
            }
            remaining -= text.utf8.count + 1
            line += 1
            if !isBlock, line < source.count { dropped = source[line].prefix { $0 == " " }.count }
        }
        return self.problem(message)
    }
}
