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

/// What devices say of themselves comes on disk, also when it could not at first.
struct DeviceBoardRecorderTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let device = "usgs-01581752-1"

    private func recorder(_ bench: Workbench) -> DeviceBoardRecorder {
        DeviceBoardRecorder(board: bench.resolver.board, records: bench.records, logger: Self.logger)
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
            #expect(bench.resolver.board.firmware(of: Self.device) == nil)
            #expect(recorder.write())
            #expect(try self.versions(bench).isEmpty)
            bench.resolver.replace(catalog: catalog)
            try self.tell("1.0", bench, isOwn: false)
            #expect(bench.resolver.board.firmware(of: Self.device)?.version.text == "1.0")
            try bench.close()
        }
    }

    @Test func aConnectionIsKnownAgainAfterAStart() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            let recorder = self.recorder(bench)
            func say(_ state: DeviceConnection.State, after seconds: Int64) {
                #expect(
                    bench.resolver.note(state, of: Self.device, receivedAt: Workbench.start + 1000 * seconds) == nil
                )
            }
            say(.offline, after: 0)
            say(.online, after: 10)
            say(.online, after: 20)
            #expect(recorder.write())
            let known = DeviceConnection(device: Self.device, state: .online, since: Workbench.start + 10_000)
            #expect(try bench.records.connections() == [known])
            let board = DeviceBoard(connections: try bench.records.connections())
            #expect(board.connection(of: Self.device) == known)
            #expect(board.takeChanges().isEmpty)
            // Its firmware is another matter.
            try self.tell("1.4.2", bench)
            #expect(bench.resolver.board.connection(of: Self.device) == known)
            bench.resolver.replace(catalog: .empty)
            #expect(recorder.write())
            #expect(try bench.records.connections().isEmpty)
            #expect(
                bench.resolver.note(.online, of: Self.device, receivedAt: Workbench.start)?.reason == .unknownDevice
            )
            try bench.close()
        }
    }

    /// Such as one that was taken out of its file while the service was down.
    @Test func whatIsOnDiskOfOthersIsTakenAwayAtTheStart() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            try bench.records.put(
                firmware: [Self.device, "ghost"]
                    .map {
                        KnownFirmware(
                            device: $0,
                            version: try FirmwareVersion("1.4.2"),
                            since: Workbench.start,
                            isOwn: true
                        )
                    }
            )
            let board = DeviceBoard(firmware: try bench.records.firmware())
            let resolver = CatalogResolver(catalog: bench.resolver.catalog, board: board)
            #expect(resolver.board.firmware(of: "ghost") == nil)
            #expect(DeviceBoardRecorder(board: board, records: bench.records, logger: Self.logger).write())
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
