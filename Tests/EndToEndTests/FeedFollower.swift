// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A foreign client of the feed: curl on `/alerts/stream`.
struct FeedFollower {
    /// One event as it came.
    struct Event {
        let id: Int
        let name: String
        let feature: [String: Any]

        var properties: [String: Any] { self.feature["properties"] as? [String: Any] ?? [:] }
        var identifier: String { self.properties["id"] as? String ?? "" }
    }

    private let curl: PoyangProcess

    /// How a follower says where it stands.
    enum Start {
        case now
        case header(Int)
        case parameter(Int)
    }

    init(_ service: RunningService, from start: Start, token: String? = nil) throws {
        var arguments = ["curl", "--silent", "--show-error", "--no-buffer"]
        var path = "/alerts/stream"
        switch start {
        case .now: break
        case .header(let id): arguments += ["--header", "Last-Event-ID: \(id)"]
        case .parameter(let id): path += "?lastEventId=\(id)"
        }
        if let token { arguments += ["--header", "Authorization: Bearer \(token)"] }
        self.curl = try PoyangProcess(program: URL(fileURLWithPath: "/usr/bin/env"), arguments + [service.url + path])
    }

    /// Waits until the stream has begun; what happens from now on will be seen.
    func connected() async throws {
        try await eventually("the stream") { self.curl.output.contains("retry:") }
    }

    /// The events that came whole until now.
    var events: [Event] {
        let blocks = self.curl.output.components(separatedBy: "\n\n").dropLast()
        return blocks.compactMap { block in
            var fields: [String: String] = [:]
            for line in block.split(separator: "\n") {
                guard let colon = line.firstIndex(of: ":") else { continue }
                fields[String(line[..<colon])] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            }
            guard let id = fields["id"].flatMap(Int.init), let name = fields["event"], let data = fields["data"],
                let feature = try? JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
            else { return nil }
            return Event(id: id, name: name, feature: feature)
        }
    }

    /// Waits for the event with the sequence `last` and gives all events.
    func events(through last: Int) async throws -> [Event] {
        try await eventually("event \(last) of the feed") { self.events.last.map { $0.id >= last } ?? false }
        return self.events
    }

    func leave() {
        self.curl.kill()
    }
}
