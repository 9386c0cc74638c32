// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Foundation
import GRDB
import Telemetry
import Testing

struct CatalogStoreTests {
    @Test func keepsABatchOverAReopening() throws {
        try withStorePath { path in
            let first = try CatalogStore(path: path)
            #expect(try agreedPosition(first) == 0)
            try first.commit(fullBatch(1))
            try first.commit(fullBatch(2))
            let id = first.directoryID
            try first.close()
            let second = try CatalogStore(path: path)
            #expect(try agreedPosition(second) == 2)
            #expect(second.directoryID == id)
            #expect(UUID(uuidString: id) != nil)
            #expect(try second.warning(number: "2022-1")?.json == "1")
            #expect(try second.warning(number: "2022-9") == nil)
            #expect(try second.ledger(number: "2022-2").map(\.fact.what) == ["2"])
        }
    }

    @Test func removesAlertStatesAndShowsOnlyActiveWarningsWhenAsked() throws {
        try withStore { store in
            try store.commit(fullBatch(1))
            var batch = fullBatch(2)
            batch.alertStates = []
            batch.removedAlertStates = [AlertStateRow.Key(rule: "r", labels: "{}")]
            batch.warnings[0].number = "2022-1"
            batch.warnings[0].isActive = false
            try store.commit(batch)
            #expect(try store.alertStates().isEmpty)
            #expect(try store.warnings(activeOnly: true).isEmpty)
            #expect(try store.warnings().map(\.json) == ["2"])
        }
    }

    @Test func givesWhatEndedNotLongBeforeTheNewestOfItsSubject() throws {
        try withStore { store in
            func warning(_ number: String, _ site: String, _ updated: Int64, isActive: Bool = false) -> WarningRow {
                var row = fullBatch(1).warnings[0]
                (row.number, row.site, row.isActive) = (number, site, isActive)
                row.updatedAt = Timestamp(milliseconds: updated)
                return row
            }
            var batch = fullBatch(1)
            batch.warnings = [
                warning("1", "a", 10), warning("2", "a", 150), warning("3", "a", 200), warning("4", "b", 20),
                warning("5", "c", 10, isActive: true), warning("6", "c", 900),
            ]
            try store.commit(batch)
            #expect(try store.warnings(endedWithin: 100).map(\.number) == ["5", "4", "2", "3", "6"])
        }
    }

    @Test func refusesAPositionBeforeTheLast() throws {
        try withStore { store in
            try store.commit(fullBatch(5))
            let error = #expect(throws: CatalogStorageError.self) { try store.commit(fullBatch(4)) }
            #expect(error?.code == .positionBehind)
            #expect(try store.processedPosition().rawValue == 5)
            #expect(try store.feed(after: 0).count == 1)
        }
    }

    @Test func takesChangesThatNoReadingBrought() throws {
        try withStore { store in
            try store.commit(fullBatch(1))
            var batch = fullBatch(2)
            batch.position = nil
            let rows = try store.commit(batch)
            #expect(rows.map(\.sequence) == [2])
            #expect(try store.processedPosition().rawValue == 1)
        }
    }

    /// A failure before each table in turn: the position and all that follows from it stay together.
    @Test(arguments: ["alert_states", "alert_history", "clocks", "counters", "warnings", "feed", "ledger"])
    func storesNothingOfABatchThatFailsHalfway(table: String) throws {
        try withStorePath { path in
            let store = try CatalogStore(path: path)
            try store.commit(fullBatch(1))
            try DatabaseQueue(path: path)
                .write { database in
                    try database.execute(
                        sql: """
                            CREATE TRIGGER failure BEFORE INSERT ON \(table)
                            BEGIN SELECT RAISE(ABORT, 'injected'); END
                            """
                    )
                }
            #expect(throws: DatabaseError.self) { try store.commit(fullBatch(2)) }
            #expect(try agreedPosition(store) == 1)
            try DatabaseQueue(path: path).write { try $0.execute(sql: "DROP TRIGGER failure") }
            try store.commit(fullBatch(2))
            #expect(try agreedPosition(store) == 2)
            try store.close()
        }
    }

    @Test func givesTheWholeHistoryFromAnySequence() throws {
        try withStore { store in
            for position in 1...60 { try store.commit(fullBatch(Int64(position))) }
            let history = try store.feed(after: 0)
            #expect(history.map(\.sequence) == Array(1...60))
            #expect(try store.latestFeedSequence() == 60)
            for start in 0...60 {
                var read: [FeedRow] = []
                while true {
                    let page = try store.feed(after: read.last?.sequence ?? Int64(start), limit: 7)
                    if page.isEmpty { break }
                    read += page
                }
                #expect(read == Array(history[start...]))
            }
            #expect(try store.feed(identifier: "poyang-2022-7-1")?.sequence == 7)
            #expect(try store.feed(number: "2022-7").map(\.sequence) == [7])
            let span = try store.feed(from: history[9].entry.sentAt, through: history[11].entry.sentAt)
            #expect(span.map(\.sequence) == [10, 11, 12])
        }
    }

    @Test func neverGivesAFeedSequenceTwice() throws {
        try withStorePath { path in
            var store = try CatalogStore(path: path)
            try store.commit(fullBatch(1))
            try store.commit(fullBatch(2))
            try DatabaseQueue(path: path).write { try $0.execute(sql: "DELETE FROM feed") }
            try store.close()
            store = try CatalogStore(path: path)
            #expect(try store.latestFeedSequence() == 2)
            #expect(try store.commit(fullBatch(3)).map(\.sequence) == [3])
        }
    }

    @Test func refusesTheSameMessageTwice() throws {
        try withStore { store in
            try store.commit(fullBatch(1))
            var again = fullBatch(2)
            again.feed = fullBatch(1).feed
            #expect(throws: DatabaseError.self) { try store.commit(again) }
            #expect(try agreedPosition(store) == 1)
        }
    }

    @Test func neverLetsACounterFall() throws {
        try withStore { store in
            try store.commit(ProcessedBatch(counters: ["2022": 7]))
            try store.commit(ProcessedBatch(counters: ["2022": 3, "E2022": 1]))
            #expect(try store.counters() == ["2022": 7, "E2022": 1])
        }
    }

    @Test func opensWithFullSynchronisationInWriteAheadMode() throws {
        try withStorePath { path in
            let store = try CatalogStore(path: path)
            #expect(try store.journalSettings() == ["wal", "2"])
        }
    }

    @Test func refusesADatabaseOfANewerVersion() throws {
        try withStorePath { path in
            try CatalogStore(path: path).close()
            try DatabaseQueue(path: path)
                .write { database in
                    try database.execute(
                        sql: "INSERT INTO grdb_migrations (identifier) VALUES ('9999 from the future')"
                    )
                }
            let error = #expect(throws: CatalogStorageError.self) { try CatalogStore(path: path) }
            #expect(error?.code == .unreadable)
        }
    }

    @Test func backsUpWhileInUse() throws {
        try withStorePath { path in
            let store = try CatalogStore(path: path)
            try store.commit(fullBatch(1))
            try store.backup(to: path + ".copy")
            try store.commit(fullBatch(2))
            let copy = try CatalogStore(path: path + ".copy")
            #expect(try agreedPosition(copy) == 1)
            #expect(copy.directoryID == store.directoryID)
        }
    }
}

struct LedgerTests {
    @Test(arguments: [
        "UPDATE ledger SET who = 'somebody else' WHERE seq = 2", "DELETE FROM ledger WHERE seq = 2",
        "DELETE FROM ledger",
    ])
    func refusesToForget(statement: String) throws {
        try withStorePath { path in
            let store = try CatalogStore(path: path)
            for position in 1...3 { try store.commit(fullBatch(Int64(position))) }
            #expect(throws: DatabaseError.self) {
                try DatabaseQueue(path: path).write { try $0.execute(sql: statement) }
            }
            #expect(try store.verifyLedger().count == 3)
        }
    }

    @Test(arguments: [
        "UPDATE ledger SET who = 'somebody else' WHERE seq = 2",
        "UPDATE ledger SET time = time + 1 WHERE seq = 1",
        "UPDATE ledger SET kind = 'issue', who = 'dpoyang' WHERE seq = 2",
        "DELETE FROM ledger WHERE seq = 2", "DELETE FROM ledger WHERE seq = 1",
        """
        INSERT INTO ledger (seq, number, time, processed_at, kind, who, what, hash)
        SELECT 0, number, time, processed_at, kind, who, what, hash FROM ledger WHERE seq = 1
        """,
    ])
    func detectsTampering(statement: String) throws {
        try withStorePath { path in
            let store = try CatalogStore(path: path)
            for position in 1...3 { try store.commit(fullBatch(Int64(position))) }
            try DatabaseQueue(path: path)
                .write { database in
                    try database.execute(sql: "DROP TRIGGER ledger_keeps_facts; DROP TRIGGER ledger_keeps_rows")
                    try database.execute(sql: statement)
                }
            let error = #expect(throws: CatalogStorageError.self) { try store.verifyLedger() }
            #expect(error?.code == .ledgerBroken)
        }
    }

    @Test func showsACutEndInTheHead() throws {
        try withStorePath { path in
            let store = try CatalogStore(path: path)
            for position in 1...3 { try store.commit(fullBatch(Int64(position))) }
            let before = try store.verifyLedger()
            try DatabaseQueue(path: path)
                .write { database in
                    try database.execute(sql: "DROP TRIGGER ledger_keeps_rows; DELETE FROM ledger WHERE seq = 3")
                }
            let after = try store.verifyLedger()
            #expect(after.count == 2)
            #expect(after.head != before.head)
        }
    }
}

struct RegistryAndTokenTests {
    private let now = Timestamp(milliseconds: 1_655_800_000_000)

    @Test func registersListsAndRetires() throws {
        try withStore { store in
            let rows = ["a", "b"].map { RegistryRow(kind: .device, id: $0, json: "{}", updatedAt: self.now) }
            try store.register(rows + [RegistryRow(kind: .site, id: "a", json: "{}", updatedAt: self.now)])
            #expect(try store.registered(.device).map(\.id) == ["a", "b"])
            try store.retire(.device, id: "a", at: self.now + 1)
            #expect(try store.registered(.device).map(\.id) == ["b"])
            #expect(try store.registered(.device, includingRetired: true).map(\.retiredAt) == [self.now + 1, nil])
            #expect(try store.registered(.site).map(\.id) == ["a"])
            let error = #expect(throws: CatalogStorageError.self) { try store.retire(.device, id: "a", at: self.now) }
            #expect(error?.code == .notFound)
            try store.register([RegistryRow(kind: .device, id: "a", json: "{\"x\":1}", updatedAt: self.now + 2)])
            #expect(try store.registered(.device, id: "a")?.json == "{\"x\":1}")
            #expect(try store.registered(.device).map(\.id) == ["a", "b"])
        }
    }

    @Test func knowsATokenByItsSecretAlone() throws {
        try withStorePath { path in
            let store = try CatalogStore(path: path)
            #expect(try !store.hasTokens())
            let (token, secret) = try store.createToken(role: .duty, org: "o", label: "值班", at: self.now)
            let (_, other) = try store.createToken(role: .admin, org: nil, label: "", at: self.now)
            #expect(try store.hasTokens())
            #expect(secret != other)
            #expect(secret.hasPrefix("poyang_") && secret.count == 71)
            #expect(try store.verifyToken(secret: secret) == token)
            #expect(try store.verifyToken(secret: other)?.role == .admin)
            #expect(try store.verifyToken(secret: token.id) == nil)
            #expect(try store.verifyToken(secret: "") == nil)
            try store.revokeToken(id: token.id, at: self.now + 5)
            #expect(try store.verifyToken(secret: secret) == nil)
            #expect(throws: CatalogStorageError.self) { try store.revokeToken(id: token.id, at: self.now) }
            #expect(Set(try store.tokens().map(\.revokedAt)) == [self.now + 5, nil])
            try store.close()
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(bytes.range(of: Data(secret.utf8)) == nil)
        }
    }
}
