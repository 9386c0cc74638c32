// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
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
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let device = "usgs-01581752-1"

    private func recorder(_ bench: Workbench) -> FirmwareRecorder {
        FirmwareRecorder(board: bench.resolver.firmware, records: bench.records, logger: Self.logger)
    }

    private func tell(_ version: String, _ bench: Workbench, isOwn: Bool = true) throws {
        let report = FirmwareReport(version: try FirmwareVersion(version), time: nil, isOwn: isOwn)
        #expect(bench.resolver.note(report, of: Self.device, receivedAt: Workbench.start) == nil)
    }

    private func versions(_ bench: Workbench) throws -> [String] { try bench.records.firmware().map(\.version.text) }

    /// Other hardware may have its id later, of which only a network server says something.
    @Test func theFirmwareOfARetiredDeviceIsForgotten() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            let recorder = self.recorder(bench)
            let catalog = bench.resolver.catalog
            try self.tell("1.4.2", bench)
            #expect(recorder.write())
            #expect(try self.versions(bench) == ["1.4.2"])
            bench.resolver.replace(catalog: .empty)
            #expect(bench.resolver.firmware[Self.device] == nil)
            #expect(recorder.write())
            #expect(try self.versions(bench).isEmpty)
            bench.resolver.replace(catalog: catalog)
            try self.tell("1.0", bench, isOwn: false)
            #expect(bench.resolver.firmware[Self.device]?.version.text == "1.0")
            try bench.close()
        }
    }

    /// Such as one that was taken out of its file while the service was down.
    @Test func whatIsOnDiskOfOthersIsTakenAwayAtTheStart() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            try bench.records.put(
                [Self.device, "ghost"]
                    .map {
                        KnownFirmware(
                            device: $0,
                            version: try FirmwareVersion("1.4.2"),
                            since: Workbench.start,
                            isOwn: true
                        )
                    }
            )
            let board = FirmwareBoard(try bench.records.firmware())
            let resolver = CatalogResolver(catalog: bench.resolver.catalog, firmware: board)
            #expect(resolver.firmware["ghost"] == nil)
            #expect(FirmwareRecorder(board: board, records: bench.records, logger: Self.logger).write())
            #expect(try bench.records.firmware().map(\.device) == [Self.device])
            try bench.close()
        }
    }

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
