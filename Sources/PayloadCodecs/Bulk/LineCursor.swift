// poyang
// SPDX-License-Identifier: Apache-2.0

/// A place in a line; every read is checked against the line's end.
struct LineCursor {
    let start: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    var at: UnsafePointer<UInt8>

    init(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) {
        self.start = start
        self.end = end
        self.at = start
    }

    var isAtEnd: Bool { self.at >= self.end }

    /// The byte here; 0 at the end of the line.
    @inline(__always)
    var byte: UInt8 { self.at < self.end ? self.at.pointee : 0 }

    @inline(__always)
    mutating func skipBlanks() {
        while self.at < self.end, self.at.pointee == 0x20 || self.at.pointee == 0x09 || self.at.pointee == 0x0D {
            self.at += 1
        }
    }

    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard self.at < self.end, self.at.pointee == byte else { return false }
        self.at += 1
        return true
    }

    /// Takes `text` if it comes next.
    mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard self.end - self.at >= count, ByteScan.equal(self.at, text.utf8Start, count) else { return false }
        self.at += count
        return true
    }

    func problem(_ message: String) -> LineProblem { self.problem(message, at: self.at) }

    func problem(_ message: String, at place: UnsafePointer<UInt8>) -> LineProblem {
        LineProblem(offset: place - self.start, message: message)
    }

    /// What stands here, for a message.
    var found: String {
        if self.isAtEnd { return "the end of the line" }
        let text = String(
            decoding: UnsafeBufferPointer(start: self.at, count: min(self.end - self.at, 12)),
            as: UTF8.self
        )
        return "'\(text)'"
    }
}

/// Checks of names, as Prometheus has them.
enum PrometheusName {
    /// Whether a text has the form `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    static func isMetric(_ text: String) -> Bool {
        var isFirst = true
        for byte in text.utf8 {
            guard self.isWord(byte) || byte == UInt8(ascii: ":"), !isFirst || !self.isDigit(byte) else { return false }
            isFirst = false
        }
        return !isFirst
    }

    /// Whether a text has the form `[a-zA-Z_][a-zA-Z0-9_]*`.
    static func isLabel(_ text: String) -> Bool {
        var isFirst = true
        for byte in text.utf8 {
            guard self.isWord(byte), !isFirst || !self.isDigit(byte) else { return false }
            isFirst = false
        }
        return !isFirst
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    static func isWord(_ byte: UInt8) -> Bool {
        self.isDigit(byte) || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_")
    }
}
