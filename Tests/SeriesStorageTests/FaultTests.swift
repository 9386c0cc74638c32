// poyang
// SPDX-License-Identifier: Apache-2.0

import CrashScript
import Foundation
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

/// A disk that fails now and then under a process that goes on.
@Suite(.serialized)
struct FaultTests {
    /// Few here; `ops/soak` sets more.
    private static let rounds = Int(ProcessInfo.processInfo.environment["POYANG_CRASH_ROUNDS"] ?? "") ?? 4

    /// SQLite calls an EIO on read a corruption, since a file system gives it for damaged sectors; and where a file cannot
    /// be truncated or its shared memory not be extended, it says "I/O error", whatever the reason.
    @Test(
        .timeLimit(.minutes(30)),
        arguments: [
            ("full", 40, ["full", "input_output"]), ("write", 40, ["input_output"]), ("short", 3, []),
            ("sync", 10, ["input_output"]),
            ("read", 40, ["input_output", "corrupt"]),
            ("full,write,short,sync,read", 60, ["full", "input_output", "corrupt"]),
        ]
    )
    func whatIsReportedIsThereOnceWhateverFails(kinds: String, rate: Int, codes: [String]) throws {
        try withTemporaryDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory + "/data", withIntermediateDirectories: true)
            var random = SeededGenerator.announced("FaultTests, \(kinds)")
            let seed = UInt64.random(in: 0...UInt64(Int64.max), using: &random)
            let comment = "\(kinds), seed \(seed)"
            let (process, output) = try Victims.start(
                ["errors", directory, "40", "\(max(2, Self.rounds / 2))"],
                environment: [
                    "LD_PRELOAD": try Victims.buildShim("ioerror", in: directory),
                    "POYANG_FAULT_DIRECTORY": directory + "/data",
                    "POYANG_FAULT_KINDS": kinds, "POYANG_FAULT_RATE": "\(rate)", "POYANG_FAULT_SEED": "\(seed)",
                ]
            )
            let lines = Victims.lines(output.readDataToEndOfFile())
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(comment): the victim failed")
            let failures = lines.filter { $0[0] == "failed" }
            let faults = lines.last { $0[0] == "faults" }.flatMap { Int($0[1]) } ?? 0
            #expect(faults > 0, "\(comment): nothing failed")
            #expect(failures.isEmpty == codes.isEmpty, "\(comment): \(failures.count) refusals")
            for failure in failures {
                #expect(codes.contains(failure[1]), "\(comment): \(failure.joined(separator: " "))")
            }
            try self.check(directory, committed: lines.count { $0[0] == "committed" }, comment)
        }
    }

    /// Every commit once, and nothing damaged.
    private func check(_ directory: String, committed: Int, _ comment: String) throws {
        let path = directory + "/data/samples.db"
        let position = try PositionFile(directory: directory).read()
        let report = try StoreVerification.run(path: path, processed: position)
        #expect(report.isClean, "\(comment): \(report.damages)")
        let store = try SeriesStore(path: path, processed: position, limits: CrashScript.limits)
        var values: [Double] = []
        let request = SelectRequest(
            matchers: [LabelMatcher(Labels.metricName, equals: "level_meters")],
            extent: .window(after: .distantPast, through: .distantFuture),
            qualities: .all
        )
        for series in try store.reader.select(request) { values += series.values }
        let script = CrashScript()
        #expect(values.sorted() == (0..<committed).flatMap(script.values).sorted(), "\(comment)")
        #expect(try store.recentDeliveries(limit: 3).map { Int($0.hash) }.last == committed - 1, "\(comment)")
        try store.close()
    }
}
