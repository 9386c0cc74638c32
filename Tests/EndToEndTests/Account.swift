// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// All that a service has said of its alerts and warnings, without what differs from run to run: when it was said, and
/// at which address.
struct Account: Equatable {
    /// The messages of the feed in their order, each with its sequence.
    var messages: [String]
    var warnings: [String]
    var ledger: [String]
    /// The alerts over time, as `ALERTS` shows them.
    var alerts: [String]

    /// What hangs on the hour of the run or the port of the service.
    private static let passing: Set = ["@id", "sent", "effective", "expires", "references", "replacedBy", "replacedAt"]

    /// Asks a service that has judged everything.
    ///
    /// Of the alerts it tells what holds at every fifth minute of `spans`, in Unix seconds.
    init(of service: RunningService, alertsIn spans: [ClosedRange<Int>]) async throws {
        let last = try #require(try await service.status()["feed"] as? Int)
        let follower = try FeedFollower(service, from: .parameter(0))
        let events = last == 0 ? [] : try await follower.events(through: last)
        follower.leave()
        self.messages = try events.map { event in
            let properties = event.properties.filter { !Self.passing.contains($0.key) }
            let data = try JSONSerialization.data(withJSONObject: properties, options: .sortedKeys)
            return "\(event.id) \(event.name) \(String(decoding: data, as: UTF8.self))"
        }
        let body = try await service.get("/api/warnings").body
        let warnings = try #require(try JSONSerialization.jsonObject(with: body) as? [[String: Any]])
        let names = ["number", "hazard", "level", "state", "value", "issued_at"]
        self.warnings = warnings.map { Self.text($0, names) }.sorted()
        self.ledger = []
        for number in warnings.compactMap({ $0["number"] as? String }).sorted() {
            let body = try await service.get("/api/warnings/\(number)/ledger").body
            let rows = try #require(try JSONSerialization.jsonObject(with: body) as? [[String: Any]])
            self.ledger += rows.map { number + " " + Self.text($0, ["time", "kind", "what"]) }
        }
        self.alerts = []
        for span in spans {
            let times: KeyValuePairs = [
                "query": "ALERTS", "start": "\(span.lowerBound)", "end": "\(span.upperBound)", "step": "300",
            ]
            self.alerts.append(try await service.ask("/api/v1/query_range", times).data)
        }
    }

    private static func text(_ row: [String: Any], _ names: [String]) -> String {
        names.map { "\(row[$0] ?? "-")" }.joined(separator: " ")
    }

    /// The first difference from what another one said, for a message; nil where there is none.
    func difference(from other: Account) -> String? {
        for part in [\Account.messages, \.warnings, \.ledger, \.alerts] {
            let (mine, theirs) = (self[keyPath: part], other[keyPath: part])
            for (left, right) in zip(mine, theirs) where left != right { return "\(left)\nis not\n\(right)" }
            if mine.count != theirs.count { return "\(mine.count) lines, not \(theirs.count): \(mine.last ?? "-")" }
        }
        return nil
    }
}
