// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

/// What a verification finds in a file that was damaged, and what a salvage saves of it.
struct VerificationTests {
    @Test func findsNothingInAWholeStore() throws {
        try withTemporaryDirectory { directory in
            let file = try DamagedFile(in: directory)
            var shares: [Double] = []
            let report = try StoreVerification.run(path: file.path, processed: file.processed) { shares.append($0) }
            #expect(report.isClean, "\(report.damages)")
            #expect(report.series == 40 && report.quarantined == 90 && report.deliveries == 900)
            #expect(report.journalEntries == 199 && report.revisions > 0 && report.blocks > 10)
            #expect(report.samples == 40 * 701 && report.committed == file.processed)
            #expect(shares.first == 0 && shares.last == 1 && shares == shares.sorted())

            let store = try file.open()
            #expect(try store.verify() == report)
            try store.close()
        }
    }

    /// One page of each table: the verification names what is on it, and the salvage brings everything else over.
    @Test(
        .timeLimit(.minutes(5)),
        arguments: ["series", "journal", "block", "block_data", "delivery", "quarantine", "revision", "state"]
    )
    func aDamagedPageIsNamedAndTheRestSaved(table: String) throws {
        try withTemporaryDirectory { directory in
            let file = try DamagedFile(in: directory)
            let pages = try file.pages(of: table)
            try #require(!pages.isEmpty)
            try file.overwrite(page: pages[pages.count / 2])

            let report = try StoreVerification.run(path: file.path, processed: file.processed)
            let kinds: [String: Set<Damage.What>] = [
                "series": [.series, .journal], "journal": [.journal], "block": [.block],
                "block_data": [.block, .chunk],
                "delivery": [.delivery], "quarantine": [.quarantine], "revision": [.revision], "state": [.state],
            ]
            let found = Set(report.damages.map(\.what))
            #expect(!found.isDisjoint(with: kinds[table] ?? []), "\(report.damages)")
            if ["block_data", "quarantine", "delivery"].contains(table) {
                #expect(report.series == 40 && report.journalEntries == 199, "\(report.damages)")
                #expect(report.blocks > 10, "\(report.damages)")
            }

            let new = directory + "/new.db"
            let salvage = try StoreSalvage.run(from: file.path, to: new, processed: file.processed)
            #expect(salvage.result.isClean, "\(salvage.result.damages)")
            let store = try SeriesStore(path: new, processed: file.processed, limits: DamagedFile.limits)
            let saved = try DamagedFile.read(store)
            let all = file.samples.values.reduce(0) { $0 + $1.count }
            var same = 0
            for (labels, samples) in saved {
                guard let before = file.samples[labels] else {
                    #expect(labels.metric == "poyang_salvaged" && table == "series", "\(labels)")
                    same += samples.count
                    continue
                }
                #expect(Set(samples).isSubset(of: before), "\(labels) has samples that it never had")
                same += samples.count
            }
            switch table {
            // A page holds some batches, or a block or two.
            case "journal": #expect(same >= all - 10 * 40 && same < all)
            case "block_data": #expect(same >= all - 3 * 1000 && same < all)
            default: #expect(same == all)
            }
            #expect(store.statistics().samples == same)
            try store.commit(ReadingBatch(receivedAt: .base))
            try store.close()
        }
    }

    /// Bytes inside blocks, at random: each change is found, and names the series or the block.
    @Test(.timeLimit(.minutes(5)), arguments: 0..<12)
    func everyChangedByteOfABlockIsFound(round: Int) throws {
        try withTemporaryDirectory { directory in
            var random = SeededGenerator.announced()
            let file = try DamagedFile(in: directory)
            let queue = try DatabaseQueue(path: file.path)
            let ids = try queue.read { try Int64.fetchAll($0, sql: "SELECT id FROM block ORDER BY id") }
            let id = try #require(ids.randomElement(using: &random))
            try queue.write { db in
                let data = try Data.fetchOne(db, sql: "SELECT data FROM block_data WHERE id = ?", arguments: [id])
                var bytes = try #require(data).array
                let offset = Int.random(in: 0..<bytes.count, using: &random)
                bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                try db.execute(sql: "UPDATE block_data SET data = ? WHERE id = ?", arguments: [Data(bytes), id])
            }
            try queue.close()
            let report = try StoreVerification.run(path: file.path)
            #expect(report.damages.count == 1, "\(report.damages)")
            let damage = try #require(report.damages.first)
            #expect(damage.block == id && damage.from != nil && damage.through != nil)
            #expect(damage.what == .block || damage.series != nil)

            let new = directory + "/new.db"
            let salvage = try StoreSalvage.run(from: file.path, to: new, processed: file.processed)
            #expect(salvage.result.isClean, "\(salvage.result.damages)")
            #expect(salvage.lost + salvage.repacked == 1 && salvage.copied == ids.count - 1)
        }
    }

    /// A batch of the journal has no statistics beside it: only its checksum shows a changed value.
    @Test(.timeLimit(.minutes(5)), arguments: 0..<6)
    func everyChangedByteOfTheJournalIsFound(round: Int) throws {
        try withTemporaryDirectory { directory in
            var random = SeededGenerator.announced()
            let file = try DamagedFile(in: directory)
            let queue = try DatabaseQueue(path: file.path)
            let position = Int64.random(in: 702...900, using: &random)
            try queue.write { db in
                let sql = "SELECT data FROM journal WHERE position = ?"
                var bytes = try #require(try Data.fetchOne(db, sql: sql, arguments: [position])).array
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                let change = "UPDATE journal SET data = ? WHERE position = ?"
                try db.execute(sql: change, arguments: [Data(bytes), position])
            }
            try queue.close()
            let report = try StoreVerification.run(path: file.path, processed: file.processed)
            #expect(report.damages.count == 1 && report.damages[0].what == .journal, "\(report.damages)")
            #expect(report.damages.first?.message.contains("batch \(position)") == true)
        }
    }

    /// Two values that changed places leave the statistics as they were.
    @Test func aChunkWithTheChecksumOfAnotherIsDamaged() throws {
        var (columns, other) = (Columns(), Columns())
        for index in 0..<100 {
            let value = Double(index * 7 % 31) / 10
            columns.append(.base + Int64(index) * .minute, value, 2)
            other.append(.base + Int64(index) * .minute, value, 2)
        }
        other.values.swapAt(40, 41)
        let bytes = ChunkCodec.encode(columns)
        #expect(throws: DamagedBytes.self) {
            try ChunkCodec.decode(ChunkCodec.encode(other).dropLast(4) + bytes.suffix(4))
        }
    }

    /// Numbers that do not fit each other, which no checksum shows.
    @Test(arguments: [
        ("UPDATE state SET value = value + 1 WHERE name = 'samples'", Damage.What.state, "points"),
        ("UPDATE state SET value = value + 5 WHERE name = 'sealed_through'", .state, "sealed through"),
        ("DELETE FROM state WHERE name = 'sealed_through'", .journal, "not in the journal"),
        ("DELETE FROM journal WHERE position = 800", .journal, "batch 800 is not in the journal"),
        ("UPDATE journal SET readings = 3 WHERE position = 800", .journal, "another number of readings"),
        ("DELETE FROM series WHERE id = 17", .series, "series 17 is not there"),
        ("UPDATE series SET labels = x'0101' WHERE id = 17", .series, "series 17"),
        ("UPDATE block SET samples = samples + 1 WHERE id = 2", .block, "number of samples"),
        ("UPDATE block SET last_time = last_time + 1 WHERE id = 2", .block, "last time"),
        ("UPDATE block SET shard = 1 WHERE id = 1", .chunk, "not of its shard"),
        ("UPDATE block SET position = 5000 WHERE id = 2", .block, "which is not there"),
        ("UPDATE block SET generation = 0 WHERE id = 2", .block, "generation"),
        ("UPDATE block SET generation = 1", .block, "one generation"),
        ("DELETE FROM block WHERE id = 2", .block, "no row names them"),
        ("DELETE FROM block_data WHERE id = 2", .block, "its bytes are not"),
        ("INSERT INTO retired VALUES (2)", .block, "retired and in force"),
        ("UPDATE delivery SET count = 2 WHERE position = 9", .delivery, "batch 9"),
        ("UPDATE quarantine SET refusals = x'00' WHERE id = 3", .quarantine, "payload 3"),
        ("UPDATE revision SET old_mark = 999", .revision, "impossible mark"),
    ])
    func whatDoesNotFitIsFound(change: String, what: Damage.What, message: String) throws {
        try withTemporaryDirectory { directory in
            let file = try DamagedFile(in: directory)
            let queue = try DatabaseQueue(path: file.path)
            try queue.write { try $0.execute(sql: change) }
            try queue.close()
            let report = try StoreVerification.run(path: file.path, processed: file.processed)
            #expect(
                report.damages.contains { $0.what == what && $0.message.contains(message) },
                "\(change): \(report.damages)"
            )
            // Which of two segments counts is lost with their generations.
            guard message != "one generation" else { return }
            let salvage = try StoreSalvage.run(from: file.path, to: directory + "/new.db", processed: file.processed)
            #expect(salvage.result.isClean, "\(change): \(salvage.result.damages)")
        }
    }

    /// A query names the block that it cannot read, and other series answer as before.
    @Test func aQueryNamesTheDamagedBlockAndOtherSeriesAnswer() throws {
        try withTemporaryDirectory { directory in
            let file = try DamagedFile(in: directory)
            let queue = try DatabaseQueue(path: file.path)
            try queue.write { db in
                try db.execute(sql: "UPDATE block_data SET data = zeroblob(length(data)) WHERE id = 1")
            }
            let ends = try queue.read { db in
                try Int.fetchAll(
                    db,
                    sql: "SELECT first_series FROM block WHERE id = 1 UNION SELECT last_series FROM block WHERE id = 1"
                )
            }
            try queue.close()
            let range = try #require(ends.min())...(try #require(ends.max()))
            let store = try file.open()
            for number in 1...40 {
                let labels = store.index.labels(of: SeriesID(rawValue: UInt32(number)))
                let request = SelectRequest(
                    matchers: labels.map { LabelMatcher($0.name, equals: $0.value) },
                    extent: .window(after: .distantPast, through: .distantFuture),
                    qualities: .all
                )
                guard range.contains(number) else {
                    #expect(try store.reader.select(request).map(\.samples) == [file.samples[labels] ?? []])
                    continue
                }
                let error = #expect(throws: StorageError.self) { try store.reader.select(request) }
                #expect(error?.code == .corrupt && error?.message.contains("block 1") == true)
                // What the damaged block does not hold still answers.
                let recent = SelectRequest(
                    matchers: request.matchers,
                    extent: .window(after: .base + 800 * .minute, through: .distantFuture),
                    qualities: .all
                )
                #expect(try store.reader.select(recent).first?.times.isEmpty == false)
            }
            try store.commit(ReadingBatch(receivedAt: .base))
            try store.close()
        }
    }
}
