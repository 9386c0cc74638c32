// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import GRDB
import Logging
import SeriesStorage
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Platform

/// The store stays small beside the service, and what keeps it from that is said.
struct UpkeepTests {
    private func upkeep(
        _ bench: Workbench,
        keep: Milliseconds? = nil,
        isClockSuspect: @escaping @Sendable () -> Bool = { false },
        pace: Upkeep.Pace = .init(checkpoint: .seconds(60))
    ) -> Upkeep {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let now: @Sendable () -> Timestamp = { Workbench.start + .day }
        let catalog = bench.resolver.catalog
        let rules = keep.map { [RetentionRule(matchers: [LabelMatcher("__name__", equals: "ph")], keep: $0)] } ?? []
        return Upkeep(
            store: bench.store,
            processor: Processor(core: bench.core, store: bench.store, now: now, logger: logger),
            bell: UpkeepBell(),
            hasRetention: keep != nil,
            plan: { isClockSuspect() ? nil : RetentionPlan(rules, catalog: catalog, at: now()) },
            now: now,
            pace: pace,
            logger: logger
        )
    }

    /// So many segments that merging is due.
    private func fill(_ bench: Workbench, minutes: Range<Int> = 0..<16) throws {
        for minute in minutes {
            for entry in try bench.commit([(minute, 2)]) { try bench.core.process(entry, at: Workbench.start) }
            try bench.store.seal(through: bench.store.appliedPosition, force: true)
        }
    }

    @Test func mergesWhatWasSealed() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            try self.fill(bench)
            let before = bench.store.statistics()
            let upkeep = self.upkeep(bench)
            #expect(upkeep.report.lastMerge == nil)
            let next = upkeep.round()
            #expect(bench.store.statistics().segments < before.segments)
            #expect(bench.store.statistics().samples == before.samples)
            #expect(upkeep.report.lastMerge == Workbench.start + .day)
            #expect(next > .now + .seconds(30))
            // Nothing more is done until it is due, or something was sealed.
            try self.fill(bench, minutes: 16..<32)
            let grown = bench.store.statistics().segments
            _ = upkeep.round()
            #expect(bench.store.statistics().segments == grown)
            upkeep.take(UpkeepBell.Call(isSealed: true, isRetentionWanted: false))
            _ = upkeep.round()
            #expect(bench.store.statistics().segments < grown)
            try bench.close()
        }
    }

    @Test func whatFailsIsShownAndTriedAgain() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            try self.fill(bench)
            let database = try DatabaseQueue(path: DataDirectory(path: folder.path).samples)
            try database.write { database in
                try database.execute(
                    sql: """
                        CREATE TRIGGER failure BEFORE INSERT ON block BEGIN SELECT RAISE(ABORT, 'injected'); END
                        """
                )
            }
            let upkeep = self.upkeep(bench, pace: Upkeep.Pace(firstRetry: .zero))
            let before = bench.store.statistics()
            for _ in 0..<3 {
                _ = upkeep.round()
                #expect(upkeep.report.faults.count == 1 && upkeep.report.faults[0].contains("injected"))
                #expect(upkeep.report.lastMerge == nil)
                #expect(bench.store.statistics().segments == before.segments)
            }
            try database.write { try $0.execute(sql: "DROP TRIGGER failure") }
            _ = upkeep.round()
            #expect(upkeep.report.faults.isEmpty && upkeep.report.lastMerge != nil)
            #expect(bench.store.statistics().segments < before.segments)
            #expect(bench.store.statistics().samples == before.samples)
            try bench.close()
        }
    }

    @Test func removesWhatIsTooOldAtTheStartAndWhenAsked() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            func importSamples(_ days: [Int64]) throws {
                let samples = days.map { Sample(time: Workbench.start - $0 * .day, value: Double($0)) }
                for metric in ["ph", "battery_volts"] {
                    let labels = Labels(metric: metric, ["site": "elsewhere"])
                    var entries: [JournalEntry] = []
                    try bench.store.importSeries([(labels, samples)], at: Workbench.start) { entries.append($0) }
                    for entry in entries { try bench.store.apply(entry) }
                }
            }
            func count(_ metric: String) throws -> Int {
                let request = SelectRequest(
                    matchers: [LabelMatcher("__name__", equals: metric)],
                    extent: .window(after: .distantPast, through: .distantFuture),
                    qualities: .all
                )
                return try bench.store.reader.select(request).reduce(0) { $0 + $1.times.count }
            }
            try importSamples([1, 10, 100, 1000])
            let isSuspect = Mutex(true)
            let pace = Upkeep.Pace(clockRetry: .zero)
            let upkeep = self.upkeep(bench, keep: 90 * .day, isClockSuspect: { isSuspect.withLock { $0 } }, pace: pace)
            _ = upkeep.round()
            #expect(try count("ph") == 4, "never while our own clock is suspect")
            #expect(upkeep.report.lastRetention == nil)
            isSuspect.withLock { $0 = false }
            _ = upkeep.round()
            #expect(try count("ph") == 2 && count("battery_volts") == 4)
            #expect(upkeep.report.lastRetention != nil)
            try importSamples([200])
            _ = upkeep.round()
            #expect(try count("ph") == 3, "once a day is enough")
            upkeep.take(UpkeepBell.Call(isSealed: false, isRetentionWanted: true))
            _ = upkeep.round()
            #expect(try count("ph") == 2)
            try bench.close()
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func theBellRingsForAllThatCameBeforeIt() {
        let bell = UpkeepBell()
        let silent = bell.wait(.milliseconds(1))
        #expect(!silent.isSealed && !silent.isRetentionWanted)
        for _ in 0..<3 { bell.noteSealing() }
        bell.wantRetention()
        let call = bell.wait(.seconds(600))
        #expect(call.isSealed && call.isRetentionWanted && !bell.isClosing)
        Thread.detachNewThread { bell.close() }
        while !bell.isClosing { _ = bell.wait(.seconds(600)) }
    }
}
