// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import EarlyWarning
import Foundation
import GRDB
import HTTPAPI
import SeriesStorage
import Telemetry
import TestSupport
import Testing

@testable import Platform

/// What follows a commit is the same whenever the process ends and begins again.
struct ProcessingCoreTests {
    /// A flood in the demo gauge's feet: over all four levels and back.
    private static let flood: [(minute: Int, feet: Double)] = zip(
        stride(from: 0, to: 200, by: 5),
        [2, 2, 3.2, 4.2, 5.1, 6.3, 6.4, 5.5, 4.4, 3.5, 2.6, 2.2, 2.1, 2, 2, 2, 2, 2, 2, 2]
    )
    .map { ($0, $1) }

    private func undisturbed() throws -> [String] {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            for entry in try bench.commit(Self.flood) { try bench.core.process(entry, at: Workbench.start) }
            defer { try? bench.close() }
            return try bench.feed()
        }
    }

    /// After each entry in turn the process ends without a last save.
    @Test
    func aCrashBetweenAnyTwoEntriesChangesNothing() throws {
        let expected = try self.undisturbed()
        try #require(expected.count >= 5)
        try inTemporaryFolder { folder in
            for reading in Self.flood {
                // Judged what the last one left, committed one more, judged half of the time.
                let bench = try Workbench(folder)
                let entries = try bench.commit([reading])
                if reading.minute % 10 == 0 {
                    for entry in entries { try bench.core.process(entry, at: Workbench.start) }
                }
                try bench.close()
            }
            let bench = try Workbench(folder)
            #expect(try bench.feed() == expected)
            #expect(bench.store.statistics().samples == Self.flood.count)
            try bench.close()
        }
    }

    /// The disk refuses one table: the position stays behind with the rest, and nothing is lost or said twice.
    @Test(arguments: ["feed", "warnings", "ledger", "alert_states", "alert_history", "clocks"], [false, true])
    func aSaveThatFailsLosesNothing(table: String, diesAfterIt: Bool) throws {
        let expected = try self.undisturbed()
        try inTemporaryFolder { folder in
            var bench = try Workbench(folder)
            let entries = try bench.commit(Self.flood)
            let database = try DatabaseQueue(path: DataDirectory(path: folder.path).catalog)
            try database.write { database in
                try database.execute(
                    sql: """
                        CREATE TRIGGER failure BEFORE INSERT ON \(table) BEGIN SELECT RAISE(ABORT, 'injected'); END
                        """
                )
            }
            var failed: JournalEntry?
            for entry in entries {
                do { try bench.core.process(entry, at: Workbench.start) } catch {
                    failed = entry
                    break
                }
            }
            let entry = try #require(failed, "nothing was saved")
            #expect(
                try bench.records.processedPosition() < entry.position,
                "the position went ahead of what follows from it"
            )
            #expect(try bench.feed().isEmpty)
            try database.write { try $0.execute(sql: "DROP TRIGGER failure") }
            if diesAfterIt {
                try bench.close()
                bench = try Workbench(folder)
            } else {
                for next in entries where next.position >= entry.position {
                    try bench.core.process(next, at: Workbench.start)
                }
            }
            #expect(try bench.feed() == expected)
            try bench.close()
        }
    }

    @Test
    func anEntryThatWasSeenIsNotTakenAgain() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            let entries = try bench.commit(Self.flood)
            for entry in entries + entries { try bench.core.process(entry, at: Workbench.start) }
            #expect(bench.core.counts.stored == Self.flood.count)
            #expect(bench.core.counts.duplicates == 0)
            try bench.close()
        }
    }

    /// The tick notices that the wall clock went back behind what is stored, and that it came forward again.
    @Test
    func ourOwnClockIsSuspectWhileItIsBehindTheNewestSample() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder, clock: .wall)
            for entry in try bench.commit([(0, 2), (5, 2)]) { try bench.core.process(entry, at: Workbench.start) }
            let newest = Workbench.start + 5 * .minute
            for (minutes, isSuspect) in [(0, false), (-10, false), (-11, true), (-60 * 24, true), (0, false)] {
                try bench.core.tick(at: newest + Milliseconds(minutes) * .minute)
                #expect((bench.core.clockFault != nil) == isSuspect, "\(minutes) minutes")
                #expect(bench.resolver.policy.isOwnClockSuspect == isSuspect, "\(minutes) minutes")
                #expect(bench.resolver.policy.acceptsSimulated)
            }
            try bench.close()
        }
    }

    /// While our clock stands in the past, a flood is judged at the times of its readings.
    @Test
    func aFloodIsSeenWhileOurClockIsWrong() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder, clock: .wall)
            for entry in try bench.commit([(0, 2)]) { try bench.core.process(entry, at: Workbench.start) }
            let wrong = Workbench.start - 30 * .day
            try bench.core.tick(at: wrong)
            for entry in try bench.commit([(5, 2), (10, 6.5)], receivedAt: wrong) {
                try bench.core.process(entry, at: wrong)
            }
            #expect(try bench.feed().contains { $0.contains("issued") && $0.contains("red") })
            #expect(bench.core.clocks(of: ["usgs-01581752"]).values.first == Workbench.start + 10 * .minute)
            try bench.close()
        }
    }
}
