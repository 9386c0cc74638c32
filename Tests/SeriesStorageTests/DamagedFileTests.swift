// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

/// Files that are cut off, damaged or not to be written: opening says what is wrong, and nothing is lost in silence.
struct DamagedFileTests {
    /// A store as a killed process leaves it: batches in the write-ahead log only.
    private func withLog(_ body: (_ path: String, _ position: JournalPosition) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/data.db"
            let store = try SeriesStore(path: path, processed: .start)
            let key = SeriesKey(labels: Labels(metric: "level_meters", ["site": "s"]))
            var position = JournalPosition.start
            for number in 0..<20 {
                let time = Timestamp.base + Int64(number) * .minute
                let sample = Sample(time: time, value: Double(number))
                let batch = ReadingBatch(
                    at: time,
                    [ResolvedReading(series: key, sample: sample, hasOwnTime: true)]
                )
                position = try store.apply(store.commit(batch)).batch.position
            }
            // As they lie on disk now.
            let copy = directory + "/copy.db"
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
            }
            try store.close()
            try body(copy, position)
        }
    }

    @Test func aWholeLogIsTakenIn() throws {
        try self.withLog { path, position in
            #expect(try StoreVerification.run(path: path, processed: position).isClean)
            let store = try SeriesStore(path: path, processed: position)
            #expect(store.statistics().samples == 20 && store.lostBatches == 0)
            try store.close()
        }
    }

    /// Without the check SQLite opens it, and the batches behind the damage were never there.
    @Test func aLogDamagedInTheMiddleIsRefusedAndTheRestSaved() throws {
        try self.withLog { path, position in
            let size = UInt64(SeriesStore.fileSize(path + "-wal"))
            try DamagedFile.change(path + "-wal", at: size / 8 * 7)
            let before = try Data(contentsOf: URL(filePath: path + "-wal"))
            let error = #expect(throws: StorageError.self) { try SeriesStore(path: path, processed: position) }
            #expect(
                error?.code == .corrupt && error?.message.contains("is damaged in frame") == true,
                "\(error as Any)"
            )
            #expect(try Data(contentsOf: URL(filePath: path + "-wal")) == before)

            let report = try StoreVerification.run(path: path, processed: position)
            #expect(report.damages.contains { $0.what == .file && $0.message.contains("damaged in frame") })
            #expect(report.damages.contains { $0.what == .journal && $0.message.contains("is lost") })
            let salvage = try StoreSalvage.run(from: path, to: path + ".new", processed: position)
            #expect(salvage.result.isClean, "\(salvage.result.damages)")
            #expect(salvage.journalEntries > 0 && salvage.lostEntries > 0, "\(salvage)")
            let store = try SeriesStore(path: path + ".new", processed: position)
            #expect(store.statistics().samples == salvage.journalEntries)
            try store.close()
        }
    }

    /// What a power cut leaves of a commit that was under way is no damage.
    @Test func aLogWhoseLastCommitIsTornIsTakenInUpToThere() throws {
        try self.withLog { path, position in
            let size = UInt64(SeriesStore.fileSize(path + "-wal"))
            try DamagedFile.change(path + "-wal", at: size - 2000)
            let store = try SeriesStore(path: path, processed: JournalPosition(rawValue: position.rawValue - 1))
            #expect(store.statistics().samples == 19 && store.lostBatches == 0)
            try store.close()
        }
    }

    @Test func aLogThatWasCutOffIsNoticedByWhatTheRulesHadProcessed() throws {
        try self.withLog { path, position in
            let file = try FileHandle(forWritingTo: URL(filePath: path + "-wal"))
            try file.truncate(atOffset: UInt64(SeriesStore.fileSize(path + "-wal") / 2))
            try file.close()
            #expect(try !StoreVerification.run(path: path, processed: position).isClean)
            let store = try SeriesStore(path: path, processed: position)
            #expect(store.lostBatches > 0 && store.lostBatches == 20 - store.statistics().samples)
            // It goes on behind what was given out.
            #expect(try store.commit(ReadingBatch(receivedAt: .base)).position.rawValue == position.rawValue + 1)
            try store.close()
        }
    }

    @Test(arguments: [0.1, 0.5, 0.95])
    func aFileThatWasCutOffIsRefusedOrAnswersWhatItHas(share: Double) throws {
        try withTemporaryDirectory { directory in
            let file = try DamagedFile(in: directory)
            let size = SeriesStore.fileSize(file.path)
            let handle = try FileHandle(forWritingTo: URL(filePath: file.path))
            try handle.truncate(atOffset: UInt64(Double(size) * share) / 4096 * 4096)
            try handle.close()
            #expect(try !StoreVerification.run(path: file.path, processed: file.processed).isClean)
            let error = #expect(throws: StorageError.self) { try file.open() }
            #expect(error?.code == .corrupt, "\(error as Any)")
            #expect(error?.message.contains("poyang verify") == true)
            let salvage = try StoreSalvage.run(from: file.path, to: directory + "/new.db", processed: file.processed)
            #expect(salvage.result.isClean, "\(salvage.result.damages)")
        }
    }

    @Test func aHeaderThatIsNoneIsNamed() throws {
        try withTemporaryDirectory { directory in
            let file = try DamagedFile(in: directory)
            try file.overwrite(page: 1)
            for attempt in [{ _ = try file.open() }, { _ = try StoreVerification.run(path: file.path) }] {
                let error = #expect(throws: StorageError.self) { try attempt() }
                #expect(error?.code == .corrupt, "\(error as Any)")
            }
        }
    }

    /// The superuser may write everything, so this needs another user.
    @Test(.enabled(if: getuid() != 0, "root may write to read-only files"))
    func aFileThatMayNotBeWrittenIsNamed() throws {
        try withTemporaryDirectory { directory in
            let file = try DamagedFile(in: directory)
            chmod(file.path, 0o400)
            chmod(directory, 0o500)
            defer { chmod(directory, 0o700) }
            let error = #expect(throws: StorageError.self) { try file.open() }
            #expect([.readOnly, .cannotOpen].contains(error?.code), "\(error as Any)")
            #expect(try StoreVerification.run(path: file.path).isClean)
        }
    }
}
