// poyang
// SPDX-License-Identifier: Apache-2.0

/// One event of a `text/event-stream` (WHATWG HTML, section 9.2).
struct ServerSentEvent: Hashable, Sendable {
    var id: String?
    /// `event:`; `message` where the stream names none.
    var name: String
    var data: String
}

/// Cuts the bytes of a `text/event-stream` into events, wherever the chunks end.
struct ServerSentEventParser {
    private var line: [UInt8] = []
    private var skipsLineFeed = false
    private var id: String?
    private var name = "message"
    private var data: [String] = []

    /// - Returns: The events that these bytes complete. Comments (keep-alives) yield none.
    mutating func push(_ bytes: some Sequence<UInt8>) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n"), self.skipsLineFeed {
                self.skipsLineFeed = false
                continue
            }
            self.skipsLineFeed = byte == UInt8(ascii: "\r")
            guard byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") else {
                self.line.append(byte)
                continue
            }
            if let event = self.endLine() { events.append(event) }
        }
        return events
    }

    private mutating func endLine() -> ServerSentEvent? {
        let text = String(decoding: self.line, as: UTF8.self)
        self.line.removeAll(keepingCapacity: true)
        if text.isEmpty { return self.dispatch() }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count > 1 ? parts[1] : ""
        if value.hasPrefix(" ") { value = value.dropFirst() }
        switch parts[0] {
        case "id": self.id = String(value)
        case "event": self.name = String(value)
        case "data": self.data.append(String(value))
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            self.name = "message"
            self.data.removeAll()
        }
        guard !self.data.isEmpty else { return nil }
        return ServerSentEvent(id: self.id, name: self.name, data: self.data.joined(separator: "\n"))
    }
}
