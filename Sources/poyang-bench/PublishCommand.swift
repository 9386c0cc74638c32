// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// Publishes as a process of its own, and says when it began.
struct PublishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publishes readings of invented river sites at full speed; part of `ingest`."
    )

    @Option(help: "Port of the broker on the loopback.") var port: UInt16
    @Option(help: "Number of the first message.") var from = 0
    @Option(help: "How many messages.") var count: Int
    @Option(help: "How many sites.") var sites: Int
    @Option(help: "First two levels of the topics.") var root = "poyang/v1"

    func run() throws {
        let sites = RiverSites(count: self.sites)
        // Standard output is a pipe: nanoseconds of the monotonic clock, which all processes share.
        print(MonotonicClock.now)
        try BulkPublisher()
            .publish(port: self.port, count: self.count) { sites.message(self.from + $0, root: self.root) }
        print(MonotonicClock.now)
    }
}

/// Nanoseconds of CLOCK_MONOTONIC.
enum MonotonicClock {
    static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }
}

/// The publisher, running beside what it feeds.
struct PublisherProcess {
    private let process = Process()
    private let output = Pipe()

    /// Starts publishing `count` messages from number `from` on.
    init(port: UInt16, from: Int, count: Int, sites: Int, root: String) throws {
        self.process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        self.process.arguments = [
            "publish", "--port", "\(port)", "--from", "\(from)", "--count", "\(count)", "--sites", "\(sites)", "--root",
            root,
        ]
        self.process.standardOutput = self.output
        try self.process.run()
    }

    /// Waits for its end.
    ///
    /// - Returns: When it began, in ns of the monotonic clock, and the processor time it took in s.
    func finish() throws -> UInt64 {
        let text = String(decoding: self.output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        self.process.waitUntilExit()
        let lines = text.split(separator: "\n")
        guard self.process.terminationStatus == 0, lines.count == 2, let began = UInt64(lines[0]) else {
            throw BenchFailure("the publisher failed with status \(self.process.terminationStatus)")
        }
        return began
    }
}
