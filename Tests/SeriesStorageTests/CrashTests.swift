// poyang
// SPDX-License-Identifier: Apache-2.0

import CrashScript
import Foundation
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

/// A process that commits, applies and seals is killed at random instants, again and again on the same files.
@Suite(.serialized)
struct CrashTests {
    /// Few here; `ops/soak` sets more.
    private static let rounds = Int(ProcessInfo.processInfo.environment["POYANG_CRASH_ROUNDS"] ?? "") ?? 8

    @Test(.timeLimit(.minutes(30)))
    func everyReportedCommitSurvivesAKill() throws {
        try withTemporaryDirectory { directory in
            let lost = try self.crashLoop(directory, rounds: Self.rounds, signal: SIGKILL)
            #expect(lost.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func everyReportedCommitSurvivesAPowerCut() throws {
        try withTemporaryDirectory { directory in
            let lost = try self.crashLoop(
                directory,
                rounds: Self.rounds,
                signal: SIGUSR2,
                preload: try self.buildShim(in: directory)
            )
            #expect(lost.isEmpty)
        }
    }

    /// The power cut must be able to harm: without flushing, commits that were reported are gone.
    @Test(.timeLimit(.minutes(30)))
    func aPowerCutLosesCommitsThatAreNotFlushed() throws {
        try withTemporaryDirectory { directory in
            let lost = try self.crashLoop(
                directory,
                rounds: 1,
                signal: SIGUSR2,
                preload: try self.buildShim(in: directory),
                synchronous: "off"
            )
            #expect(!lost.isEmpty)
        }
    }

    /// Returns the reported batches that are not there afterwards.
    private func crashLoop(
        _ directory: String,
        rounds: Int,
        signal: Int32,
        preload: String? = nil,
        synchronous: String = "full"
    ) throws -> [Int] {
        let data = directory + "/data"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        var reported: Set<Int> = []
        var first = 0
        for round in 0..<rounds {
            let delay = UInt32.random(in: 0...300_000, using: &random)
            let numbers = try self.runUntilKilled(data, first: first, signal, preload, synchronous, delay: delay)
            #expect(!numbers.isEmpty, "seed \(seed), round \(round)")
            reported.formUnion(numbers)
            first = (reported.max() ?? first) + 2
            let lost = try self.verify(data, reported: reported, upTo: first, "seed \(seed), round \(round)")
            if !lost.isEmpty { return lost }
        }
        return []
    }

    /// Opens, feeds again what was not processed, and looks for every value.
    private func verify(_ data: String, reported: Set<Int>, upTo end: Int, _ comment: String) throws -> [Int] {
        let position = try PositionFile(directory: data)
        let store: SeriesStore
        do {
            store = try SeriesStore(path: data + "/samples.db", processed: position.read(), limits: CrashScript.limits)
        } catch let error as StorageError where error.code == .positionMismatch || error.code == .corrupt {
            return reported.sorted()
        }
        for entry in try store.entries(after: store.appliedPosition, limit: .max) {
            try position.write(try store.apply(entry).batch.position)
        }
        let request = SelectRequest(
            matchers: [],
            extent: .window(after: .distantPast, through: .distantFuture),
            qualities: .all
        )
        var found: [Double: Int] = [:]
        for series in try store.reader.select(request) {
            for value in series.values { found[value, default: 0] += 1 }
        }
        #expect(found.values.allSatisfy { $0 == 1 }, "\(comment): a value is there twice")
        #expect(store.statistics().samples == found.count, "\(comment)")
        let script = CrashScript()
        var lost: [Int] = []
        for number in 0..<end {
            let values = script.values(number)
            let present = values.count { found[$0] != nil }
            if reported.contains(number), present < values.count { lost.append(number) }
            #expect(present == 0 || present == values.count || !lost.isEmpty, "\(comment): half of batch \(number)")
        }
        let newest = try store.recentDeliveries(limit: 5).map { Int($0.hash) }
        let isNewestKnown = newest.last.map { $0 >= (reported.max() ?? 0) } ?? false
        #expect(isNewestKnown || !lost.isEmpty, "\(comment): the newest delivery is not remembered")
        try store.close()
        return lost
    }

    private func runUntilKilled(
        _ data: String,
        first: Int,
        _ signal: Int32,
        _ preload: String?,
        _ synchronous: String,
        delay: UInt32
    ) throws -> [Int] {
        let process = Process()
        process.executableURL = try self.product("CrashWriter")
        process.arguments = [data, "\(first)", synchronous]
        var environment = ProcessInfo.processInfo.environment
        if let preload {
            environment["LD_PRELOAD"] = preload
            environment["POYANG_FAULT_DIRECTORY"] = data
        }
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        // The kill falls somewhere after the first report, so that every round has something to lose.
        var text = output.fileHandleForReading.availableData
        // On a thread of its own: those of Dispatch may all be waiting for victims.
        let victim = process.processIdentifier
        Thread.detachNewThread {
            usleep(delay)
            kill(victim, signal)
        }
        text += output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let status = process.terminationReason == .exit ? process.terminationStatus : 0
        #expect(status == (signal == SIGUSR2 ? 137 : 0), "the victim failed by itself")
        // A last line without its end was cut off and says nothing.
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.dropLast().compactMap { Int($0.split(separator: " ").last ?? "") }
    }

    private func buildShim(in directory: String) throws -> String {
        let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Faults/powercut.c").path
        let library = directory + "/powercut.so"
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/env")
        compiler.arguments = ["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread"]
        try compiler.run()
        compiler.waitUntilExit()
        #expect(compiler.terminationStatus == 0, "cc cannot build \(source)")
        return library
    }

    /// An executable of this package, which lies beside the tests.
    private func product(_ name: String) throws -> URL {
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let places = [program, URL(filePath: CommandLine.arguments.first ?? "")] + Bundle.allBundles.map(\.bundleURL)
        let candidates = places.map { $0.deletingLastPathComponent().appending(path: name) }
        return try #require(
            candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) },
            "\(name) is not built"
        )
    }
}
