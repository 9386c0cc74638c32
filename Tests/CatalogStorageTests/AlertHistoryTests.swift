// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry
import Testing

@testable import CatalogStorage

/// From when to when alerts fired stays known.
struct AlertHistoryTests {
    private static func interval(_ labels: String, from start: Int64, to end: Int64? = nil) -> AlertInterval {
        AlertInterval(
            rule: "f/g/r",
            alertName: "R",
            labels: labels,
            activeAt: Timestamp(milliseconds: start - 5),
            firedAt: Timestamp(milliseconds: start),
            endedAt: end.map { Timestamp(milliseconds: $0) }
        )
    }

    private func all(_ store: CatalogStore) throws -> [AlertInterval] {
        try store.alertHistory(after: .distantPast, through: .distantFuture)
    }

    @Test func anAlertThatEndsClosesItsInterval() throws {
        try withStore { store in
            try store.commit(
                ProcessedBatch(alertHistory: [Self.interval("a", from: 10), Self.interval("b", from: 20)])
            )
            try store.commit(ProcessedBatch(alertHistory: [Self.interval("a", from: 10)]))
            try store.commit(ProcessedBatch(alertHistory: [Self.interval("a", from: 10, to: 30)]))
            try store.commit(
                ProcessedBatch(alertHistory: [Self.interval("a", from: 40), Self.interval("a", from: 40, to: 50)])
            )
            let expected = [
                Self.interval("a", from: 10, to: 30), Self.interval("b", from: 20),
                Self.interval("a", from: 40, to: 50),
            ]
            #expect(try self.all(store) == expected)
        }
    }

    /// Readings that come late can end an alert before it fired.
    @Test func noIntervalEndsBeforeItBegins() throws {
        try withStore { store in
            try store.commit(ProcessedBatch(alertHistory: [Self.interval("a", from: 10, to: 8)]))
            #expect(try self.all(store) == [Self.interval("a", from: 10, to: 10)])
        }
    }

    @Test func onlyWhatReachesIntoTheSpanIsRead() throws {
        try withStore { store in
            try store.commit(
                ProcessedBatch(alertHistory: [
                    Self.interval("a", from: 10, to: 30), Self.interval("b", from: 40), Self.interval("c", from: 90),
                ])
            )
            func labels(_ after: Int64, _ through: Int64, _ name: String? = nil) throws -> [String] {
                try store.alertHistory(
                    after: Timestamp(milliseconds: after),
                    through: Timestamp(milliseconds: through),
                    name: name
                )
                .map(\.labels)
            }
            #expect(try labels(29, 34) == ["a"])
            #expect(try labels(30, 34).isEmpty)
            #expect(try labels(30, 35, "R") == ["b"])
            #expect(try labels(30, 85, "S").isEmpty)
            #expect(try labels(30, 85) == ["b", "c"])
        }
    }

    @Test func theOldestThatHaveEndedAreForgotten() throws {
        try withStorePath { path in
            let store = try CatalogStore(path: path, alertHistoryLimit: 3)
            try store.commit(ProcessedBatch(alertHistory: [Self.interval("still", from: 1)]))
            for start in Int64(1)...9 {
                let end = Self.interval("a", from: start * 10, to: start * 10 + 5)
                try store.commit(ProcessedBatch(alertHistory: [Self.interval("a", from: start * 10), end]))
            }
            #expect(try self.all(store).map(\.firedAt.milliseconds) == [1, 70, 80, 90])
            try store.close()
        }
    }

    @Test func anOlderStoreBringsWhatFires() throws {
        try withStorePath { path in
            try Self.makeOlderStore(path)
            let store = try CatalogStore(path: path)
            let history = try self.all(store)
            #expect(history == [Self.interval("fires", from: 25), Self.interval("is held", from: 25)])
            try store.commit(ProcessedBatch(alertHistory: [Self.interval("fires", from: 25, to: 60)]))
            #expect(try self.all(store).first == Self.interval("fires", from: 25, to: 60))
            try store.close()
        }
    }

    private static func makeOlderStore(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try CatalogMigrations.all.migrate(queue, upTo: "0003 registry and tokens")
        try queue.write { database in
            for (labels, state) in [("fires", "firing"), ("is held", "held"), ("waits", "pending")] {
                let json = #"{"activeAt":20,"alertName":"R","since":25,"state":"\#(state)"}"#
                try database.execute(
                    sql: "INSERT INTO alert_states (rule, labels, json) VALUES ('f/g/r', ?, ?)",
                    arguments: [labels, json]
                )
            }
        }
        try queue.close()
    }
}
