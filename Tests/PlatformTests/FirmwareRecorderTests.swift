// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import GRDB
import Logging
import Telemetry
import TestSupport
import Testing

@testable import Platform

/// What devices say of their firmware comes on disk, also when it could not at first.
struct FirmwareRecorderTests {
    private static let device = "usgs-01581752-1"

    private func recorder(_ bench: Workbench) -> FirmwareRecorder {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return FirmwareRecorder(board: bench.resolver.firmware, records: bench.records, logger: logger)
    }

    private func tell(_ version: String, _ bench: Workbench) throws {
        let report = FirmwareReport(version: try FirmwareVersion(version), time: nil, isOwn: true)
        #expect(bench.resolver.note(report, of: Self.device, receivedAt: Workbench.start) == nil)
    }

    private func versions(_ bench: Workbench) throws -> [String] { try bench.records.firmware().map(\.version) }

    @Test(.timeLimit(.minutes(1)))
    func whatCouldNotBeWrittenIsWrittenLater() async throws {
        try await withTemporaryFolder { folder in
            let bench = try Workbench(folder)
            let recorder = self.recorder(bench)
            let database = try DatabaseQueue(path: DataDirectory(path: folder.path).catalog)
            try await database.write { database in
                try database.execute(
                    sql: "CREATE TRIGGER no_space BEFORE INSERT ON firmware BEGIN SELECT RAISE(ABORT, 'no space'); END"
                )
            }
            var changes = recorder.board.changes.makeAsyncIterator()
            try self.tell("1.4.2", bench)
            await changes.next()
            #expect(!recorder.write())
            // It is rung for by itself: the device says nothing new.
            try self.tell("1.4.2", bench)
            await changes.next()
            #expect(!recorder.write())
            #expect(try self.versions(bench).isEmpty)
            try await database.write { try $0.execute(sql: "DROP TRIGGER no_space") }
            await changes.next()
            #expect(recorder.write())
            #expect(try self.versions(bench) == ["1.4.2"])
            #expect(recorder.board.takeChanges().isEmpty)
            try database.close()
            try bench.close()
        }
    }
}
