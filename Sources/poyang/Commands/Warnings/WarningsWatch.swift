// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Telemetry

struct WarningsWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follow the warnings as they are issued, raised, lowered and ended.",
        discussion: """
            Without --from it starts now; --from 0 begins with the first message ever,
            --from 41 after the 41st. A connection that breaks is made again from the last
            message seen, so none is lost and none comes twice. With --json each message
            is one JSON object on a line of its own, with times in +08:00.

              poyang warnings watch --json --from 0
            """
    )

    @Option(help: ArgumentHelp("Begin after this number of the feed.", valueName: "seq"))
    var from: Int64?
    @Option(help: ArgumentHelp("End after this many messages.", valueName: "n"))
    var count: Int?
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        try await self.connection.withClient { client in
            var follower = Follower(last: self.from.map(String.init), remaining: self.count ?? .max)
            var wait = Duration.milliseconds(200)
            while follower.remaining > 0 {
                do {
                    let isFirst = follower.seen == 0
                    try await client.events("/alerts/stream", query: [("lastEventId", follower.last)]) { event in
                        follower.take(event, asJSON: self.output.json)
                        if follower.remaining == 0 { throw EndOfWatch() }
                    }
                    if isFirst, follower.seen == 0 { wait = min(wait * 2, .seconds(10)) }
                } catch is EndOfWatch {
                    return
                } catch let error as StreamInterrupted {
                    StandardError.write("the stream broke off (\(error.reason)); asking again")
                } catch let failure as CommandFailure where follower.seen > 0 {
                    StandardError.write("\(failure.message); asking again")
                    wait = min(wait * 2, .seconds(10))
                }
                try await Task.sleep(for: wait)
            }
        }
    }
}

/// What `watch` remembers between connections.
private struct Follower {
    /// The feed's number of the last message seen, for `lastEventId`.
    var last: String?
    var remaining: Int
    var seen = 0

    mutating func take(_ event: ServerSentEvent, asJSON: Bool) {
        guard let feature = try? JSONValue.parse(Data(event.data.utf8)) else { return }
        StandardOutput.write(asJSON ? WarningLine.json(feature) : WarningLine.text(feature, event: event.name))
        if let id = event.id { self.last = id }
        self.seen += 1
        self.remaining -= 1
    }
}

/// One message of the feed as a line.
enum WarningLine {
    /// Names of the line, and the property of the GeoJSON feature each is taken from.
    private static let members: [(name: String, property: String)] = [
        ("number", "number"), ("identifier", "id"), ("msgType", "messageType"), ("action", "action"),
        ("status", "status"), ("hazard", "hazard"), ("level", "level"), ("previous_level", "previousLevel"),
        ("site", "site"), ("event_time", "eventTime"), ("sent", "sent"), ("value", "value"),
        ("threshold", "threshold"), ("headline", "headline"),
    ]

    static func json(_ feature: JSONValue) -> String {
        let properties = feature["properties"]
        return JSONValue.objectText(
            self.members.map { member in
                let value = properties[member.property]
                let isTime = member.name == "event_time" || member.name == "sent"
                return (key: member.name, value: isTime ? self.inChina(value) : value)
            }
        )
    }

    static func text(_ feature: JSONValue, event: String) -> String {
        let properties = feature["properties"]
        let level = [properties["previousLevel"], properties["level"]].filter { !$0.isNull }.map(\.cellText)
        let exercise = properties["status"].string == "Actual" ? "" : "[\(properties["status"].cellText)] "
        return "\(self.inChina(properties["eventTime"]).cellText)  #\(properties["number"].cellText) "
            + "\(properties["action"].string ?? event) \(level.joined(separator: " → "))  "
            + "\(exercise)\(properties["headline"].cellText)"
    }

    /// The same moment in China Standard Time.
    private static func inChina(_ value: JSONValue) -> JSONValue {
        guard let text = value.string, let time = Timestamp(rfc3339: text) else { return value }
        return .string(time.rfc3339())
    }
}
