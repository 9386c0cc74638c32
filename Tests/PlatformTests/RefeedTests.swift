// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Logging
import SeriesStorage
import Telemetry
import TestSupport
import Testing

@testable import Platform

/// What was committed and not judged when the last process ended is judged first, while the service already answers.
struct RefeedTests {
    private static let flood: [(minute: Int, feet: Double)] = zip(
        stride(from: 0, to: 100, by: 5),
        [2, 2, 3.2, 4.2, 5.1, 6.3, 6.4, 5.5, 4.4, 3.5, 2.6, 2.2, 2.1, 2, 2, 2, 2, 2, 2, 2]
    )
    .map { ($0, $1) }

    private func processor(_ bench: Workbench) -> Processor {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return Processor(core: bench.core, store: bench.store, now: { Workbench.start }, logger: logger)
    }

    @Test(.timeLimit(.minutes(1)))
    func judgesTheJournalInOrderOnItsThreadAndSaysWhenItIsDone() async throws {
        try await withTemporaryFolder { folder in
            let bench = try Workbench(folder)
            let last = try #require(try bench.commit(Self.flood).last?.position)
            let processor = self.processor(bench)
            #expect(!processor.hasCaughtUp)
            #expect(processor.progress.journalled == last && processor.progress.processed == .start)
            let running = Task { try await processor.run() }
            // A look is answered in between or after; what may change something comes after.
            let looked = try await processor.look { $0.processed }
            #expect(looked <= last)
            #expect(try await processor.perform { $0.processed } == last)
            await processor.caughtUp()
            #expect(processor.hasCaughtUp && processor.progress.processed == last)
            #expect(try bench.feed().count >= 5)
            // What was fed again is not taken twice, and newer entries follow as ever.
            try processor.commitClockAdvance(site: nil, to: Workbench.start + .hour)
            #expect(try await processor.perform { $0.processed.rawValue } == last.rawValue + 1)
            #expect(try await processor.look { $0.counts.stored } == Self.flood.count)
            running.cancel()
            try await running.value
        }
    }

    /// While nothing can be saved the rules wait; whoever asks how things are does not.
    @Test(.timeLimit(.minutes(1)))
    func answersLooksWhileTheDiskRefuses() async throws {
        try await withTemporaryFolder { folder in
            let bench = try Workbench(folder)
            let last = try #require(try bench.commit(Self.flood).last?.position)
            let database = try DatabaseQueue(path: DataDirectory(path: folder.path).catalog)
            // The flood's first message cannot be saved, so the rules stay before it.
            try await database.write { db in
                try db.execute(
                    sql: "CREATE TRIGGER failure BEFORE INSERT ON feed BEGIN SELECT RAISE(ABORT, 'injected'); END"
                )
            }
            let processor = self.processor(bench)
            let running = Task { try await processor.run() }
            let deadline = ContinuousClock.now + .seconds(30)
            while processor.currentFault == nil, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(processor.currentFault?.contains("injected") == true)
            #expect(try await processor.look { $0.counts.stored } > 0)
            #expect(processor.currentFault != nil && processor.progress.processed < last)
            try await database.write { db in try db.execute(sql: "DROP TRIGGER failure") }
            #expect(try await processor.perform { $0.counts.stored } == Self.flood.count)
            #expect(processor.currentFault == nil && processor.progress.processed == last)
            running.cancel()
            try await running.value
        }
    }

    @Test func whatOnlyLooksIsTakenOutOfTurn() {
        let queue = WorkQueue<Int>(capacity: 4)
        for item in 0..<6 { queue.put(item) }
        #expect(queue.take { $0 % 3 == 0 } == [0, 3])
        #expect(queue.take { $0 > 9 }.isEmpty)
        #expect(queue.takeAll() == [1, 2, 4, 5])
    }
}
