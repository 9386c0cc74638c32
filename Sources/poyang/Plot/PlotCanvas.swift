// poyang
// SPDX-License-Identifier: Apache-2.0

/// A field of dots, drawn as Braille characters of 2 × 4 dots each, or as one ASCII mark a character.
struct PlotCanvas {
    /// In characters.
    let columns: Int
    let rows: Int
    /// Dots of a character.
    let dotsAcross: Int
    let dotsDown: Int
    private let isUnicode: Bool
    private var masks: [UInt8]
    /// Which line has drawn last into a character.
    private var owners: [Int?]

    /// The marks of lines where there is no Braille.
    private static let marks: [Character] = ["*", "+", "x", "o", "#", "@", "%", "&"]

    init(columns: Int, rows: Int, isUnicode: Bool) {
        self.columns = columns
        self.rows = rows
        self.isUnicode = isUnicode
        self.dotsAcross = isUnicode ? 2 : 1
        self.dotsDown = isUnicode ? 4 : 1
        self.masks = Array(repeating: 0, count: columns * rows)
        self.owners = Array(repeating: nil, count: columns * rows)
    }

    var width: Int { self.columns * self.dotsAcross }
    var height: Int { self.rows * self.dotsDown }

    static func mark(of line: Int) -> Character { self.marks[line % self.marks.count] }

    /// Sets a dot, counted from the upper left one; dots outside are left out.
    mutating func set(x: Int, y: Int, line: Int) {
        guard x >= 0, x < self.width, y >= 0, y < self.height else { return }
        let place = y / self.dotsDown * self.columns + x / self.dotsAcross
        // Unicode 15, 21.1 "Braille Patterns": bits of dots 1-3, 7 in the left column, 4-6, 8 in the right one.
        let bits: [[UInt8]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]
        self.masks[place] |= self.isUnicode ? bits[x % 2][y % 4] : 1
        self.owners[place] = line
    }

    /// Draws a straight line, both ends included (Bresenham).
    mutating func draw(from start: (x: Int, y: Int), to end: (x: Int, y: Int), line: Int) {
        var (x, y) = start
        let across = abs(end.x - x)
        let down = -abs(end.y - y)
        var rest = across + down
        while true {
            self.set(x: x, y: y, line: line)
            if x == end.x, y == end.y { return }
            let double = 2 * rest
            if double >= down {
                rest += down
                x += x < end.x ? 1 : -1
            }
            if double <= across {
                rest += across
                y += y < end.y ? 1 : -1
            }
        }
    }

    /// One row of characters, each piece in the colour of its line.
    func row(_ index: Int, _ terminal: Terminal, color: (Int) -> Int?) -> String {
        var text = ""
        var piece = ""
        var owner: Int?
        for place in index * self.columns..<(index + 1) * self.columns {
            let mask = self.masks[place]
            let next = mask == 0 ? owner : self.owners[place]
            if next != owner {
                text += terminal.colored(piece, owner.flatMap(color))
                (piece, owner) = ("", next)
            }
            piece.append(self.character(mask, owner: owner))
        }
        let end = String(piece.reversed().drop { $0 == " " }.reversed())
        return text + (end.isEmpty ? "" : terminal.colored(end, owner.flatMap(color)))
    }

    private func character(_ mask: UInt8, owner: Int?) -> Character {
        guard mask != 0 else { return " " }
        guard self.isUnicode else { return Self.mark(of: owner ?? 0) }
        return Unicode.Scalar(0x2800 + UInt32(mask)).map { Character($0) } ?? "*"
    }
}
