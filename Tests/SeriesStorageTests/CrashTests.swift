// poyang
// SPDX-License-Identifier: Apache-2.0

import CrashScript
import Foundation
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

/// A process that commits, applies, seals, merges, removes, thins and copies is killed at random instants, again and
/// again on the same files.
@Suite(.serialized)
struct CrashTests {
    /// Few here; `ops/soak` sets more.
    private static let rounds = Int(ProcessInfo.processInfo.environment["POYANG_CRASH_ROUNDS"] ?? "") ?? 8

    private enum Death {
        case kill
        /// Everything that was not flushed is gone.
        case powerCut
        /// Sectors of what was not flushed are gone, and others are there.
        case powerCutOfAReorderingDisk

        var signal: Int32 { self == .kill ? SIGKILL : SIGUSR2 }
    }

    @Test(.timeLimit(.minutes(60)))
    func everyReportedCommitSurvivesAKill() throws {
        let lost = try self.crashLoop(.kill, rounds: Self.rounds)
        #expect(lost.isEmpty)
    }

    @Test(.timeLimit(.minutes(60)))
    func everyReportedCommitSurvivesAPowerCut() throws {
        let lost = try self.crashLoop(.powerCut, rounds: (Self.rounds + 1) / 2)
        #expect(lost.isEmpty)
    }

    @Test(.timeLimit(.minutes(60)))
    func everyReportedCommitSurvivesAPowerCutOfADiskThatReorders() throws {
        let lost = try self.crashLoop(.powerCutOfAReorderingDisk, rounds: (Self.rounds + 1) / 2)
        #expect(lost.isEmpty)
    }

    /// The power cut must be able to harm: without flushing, commits that were reported are gone.
    @Test(.timeLimit(.minutes(30)))
    func aPowerCutLosesCommitsThatAreNotFlushed() throws {
        let lost = try self.crashLoop(.powerCut, rounds: 1, synchronous: "off")
        #expect(!lost.isEmpty)
    }

    /// Returns the reported batches that are not there afterwards.
    private func crashLoop(_ death: Death, rounds: Int, synchronous: String = "full") throws -> [Int] {
        try withTemporaryDirectory { directory in
            let data = directory + "/data"
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
            let shim = death == .kill ? nil : try Victims.buildShim("powercut", in: directory)
            var random = SeededGenerator.announced("CrashTests, \(death)")
            var state = Reported()
            for round in 0..<rounds {
                let comment = "\(death), round \(round)"
                let delay = UInt32.random(in: 0...300_000, using: &random)
                var environment: [String: String] = [:]
                if let shim {
                    environment = ["LD_PRELOAD": shim, "POYANG_FAULT_DIRECTORY": data]
                    if death == .powerCutOfAReorderingDisk {
                        environment["POYANG_FAULT_SEED"] = "\(UInt64.random(in: 0 ... .max, using: &random))"
                    }
                }
                let lines = try self.runUntilKilled(
                    ["crash", data, "\(state.end)", synchronous],
                    environment,
                    death.signal,
                    delay: delay
                )
                let count = state.commits.count
                state.take(lines)
                #expect(state.commits.count > count, "\(comment): nothing was committed")
                let lost = try self.verify(data, state, isLossExpected: synchronous == "off", comment)
                if !lost.isEmpty { return lost }
                if let copy = state.copy { try self.verify(copy, comment) }
            }
            return []
        }
    }

    /// What victims said until they died.
    private struct Reported {
        struct Copy {
            /// The copy holds all batches up to this one.
            let upTo: Int
            let directory: String
        }

        private(set) var commits: Set<Int> = []
        /// The fleeting samples up to this batch are to be gone.
        private(set) var removed = -1
        /// The newest copy of the last victim.
        private(set) var copy: Copy?

        /// Behind all batches that may have been begun.
        var end: Int { self.commits.max().map { $0 + 2 } ?? 0 }

        mutating func take(_ lines: [[String]]) {
            self.copy = nil
            for line in lines where line.count >= 2 {
                guard let number = Int(line[1]) else { continue }
                switch line[0] {
                case "committed": self.commits.insert(number)
                case "removed": self.removed = max(self.removed, number)
                case "copied": self.copy = Copy(upTo: number, directory: line[2])
                default: break
                }
            }
        }
    }

    /// Checks the file as the crash left it, opens it, feeds again what was not processed, and looks for every value.
    private func verify(_ data: String, _ state: Reported, isLossExpected: Bool, _ comment: String) throws -> [Int] {
        let path = data + "/samples.db"
        let position = try PositionFile(directory: data)
        if !isLossExpected {
            let report = try StoreVerification.run(path: path, processed: position.read())
            #expect(report.isClean, "\(comment): \(report.damages)")
        }
        let store: SeriesStore
        do {
            store = try SeriesStore(path: path, processed: position.read(), limits: CrashScript.limits)
        } catch let error as StorageError where isLossExpected && [.positionMismatch, .corrupt].contains(error.code) {
            return state.commits.sorted()
        }
        for entry in try store.entries(after: store.appliedPosition, limit: .max) {
            try position.write(try store.apply(entry).batch.position)
        }
        let lost = try self.compare(store, state.commits, end: state.end, removed: state.removed, comment)
        let newest = try store.recentDeliveries(limit: 5).map { Int($0.hash) }
        let isNewestKnown = newest.last.map { $0 >= (state.commits.max() ?? 0) } ?? false
        #expect(isNewestKnown || !lost.isEmpty, "\(comment): the newest delivery is not remembered")
        let report = try store.verify()
        #expect(report.isClean || !lost.isEmpty, "\(comment): \(report.damages)")
        try store.close()
        return lost
    }

    /// Opens a copy and looks for everything that was committed before it was begun.
    private func verify(_ copy: Reported.Copy, _ comment: String) throws {
        let comment = "\(comment), \(copy.directory)"
        // The victim may have removed an older one.
        guard FileManager.default.fileExists(atPath: copy.directory) else { return }
        let path = copy.directory + "/samples.db"
        let position = try PositionFile(directory: copy.directory).read()
        let report = try StoreVerification.run(path: path, processed: position)
        #expect(report.isClean, "\(comment): \(report.damages)")
        #expect(report.sealed <= position && position <= report.committed, "\(comment)")
        let store = try SeriesStore(path: path, processed: position, limits: CrashScript.limits)
        for entry in try store.entries(after: store.appliedPosition, limit: .max) { try store.apply(entry) }
        let newest = try store.recentDeliveries(limit: 1).map { Int($0.hash) }
        #expect(newest.last.map { $0 >= copy.upTo } ?? false, "\(comment): the newest delivery is not remembered")
        let lost = try self.compare(store, [copy.upTo], end: copy.upTo + 1, removed: -1, comment)
        #expect(lost.isEmpty, "\(comment)")
        try store.close()
        try FileManager.default.removeItem(atPath: copy.directory)
    }

    /// The batches that were reported and are not there; everything else must be as it should.
    private func compare(
        _ store: SeriesStore,
        _ commits: Set<Int>,
        end: Int,
        removed: Int,
        _ comment: String
    ) throws -> [Int] {
        let request = SelectRequest(
            matchers: [],
            extent: .window(after: .distantPast, through: .distantFuture),
            qualities: .all
        )
        var found: [Double: Int] = [:]
        var samples = 0
        let script = CrashScript()
        for series in try store.reader.select(request) {
            samples += series.times.count
            switch series.labels.metric {
            case CrashScript.fleeting:
                let oldest = series.times.first ?? .distantFuture
                #expect(oldest > script.ownTime(removed), "\(comment): a removed sample is back")
            case CrashScript.aging: break
            default: for value in series.values { found[value, default: 0] += 1 }
            }
        }
        #expect(found.values.allSatisfy { $0 == 1 }, "\(comment): a value is there twice")
        #expect(store.statistics().samples == samples, "\(comment)")
        var lost: [Int] = []
        for number in 0..<end {
            let values = script.values(number)
            let present = values.count { found[$0] != nil }
            if commits.contains(number), present < values.count { lost.append(number) }
            #expect(present == 0 || present == values.count || !lost.isEmpty, "\(comment): half of batch \(number)")
        }
        return lost
    }

    private func runUntilKilled(
        _ arguments: [String],
        _ environment: [String: String],
        _ signal: Int32,
        delay: UInt32
    ) throws -> [[String]] {
        let (process, output) = try Victims.start(arguments, environment: environment)
        // The kill falls somewhere after the first report, so that every round has something to lose.
        var text = output.availableData
        // On a thread of its own: those of Dispatch may all be waiting for victims.
        let victim = process.processIdentifier
        Thread.detachNewThread {
            usleep(delay)
            kill(victim, signal)
        }
        text += output.readDataToEndOfFile()
        process.waitUntilExit()
        let status = process.terminationReason == .exit ? process.terminationStatus : 0
        #expect(status == (signal == SIGUSR2 ? 137 : 0), "the victim failed by itself")
        return Victims.lines(text)
    }
}
