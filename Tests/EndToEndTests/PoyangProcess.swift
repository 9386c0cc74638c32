// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

/// A run of the real `poyang` program, as its users start it.
final class PoyangProcess: Sendable {
    /// What a run that ended left behind.
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    /// What came out of a pipe until now.
    private final class Text: Sendable {
        private let handle: FileHandle
        private let data = Mutex(Data())

        /// A thread reads until the end: a readability handler crashes when its pipe goes away under it.
        init(reading pipe: Pipe) {
            self.handle = pipe.fileHandleForReading
            Thread.detachNewThread {
                var ready = pollfd(fd: self.handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
                while true {
                    guard poll(&ready, 1, -1) >= 0 || errno == EINTR else { return }
                    let isEmpty = self.data.withLock { self.take(&$0) == 0 }
                    if isEmpty, ready.revents & Int16(POLLHUP) != 0 { return }
                }
            }
        }

        /// Reads what is there, so that all is seen that a process wrote before it ended.
        private func take(_ data: inout Data) -> Int {
            var taken = 0
            while true {
                var count: CInt = 0
                guard ioctl(self.handle.fileDescriptor, UInt(FIONREAD), &count) == 0, count > 0 else { return taken }
                data.append(self.handle.readData(ofLength: Int(count)))
                taken += Int(count)
            }
        }

        var text: String {
            self.data.withLock { data in
                _ = self.take(&data)
                return String(decoding: data, as: UTF8.self)
            }
        }
    }

    private let process: Mutex<Process>
    private let outputText: Text
    private let errorText: Text
    let processID: Int32

    /// The program that the build put beside the tests.
    static func executable() throws -> URL {
        let tests = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let program = tests.deletingLastPathComponent().appendingPathComponent("poyang")
        try #require(FileManager.default.isExecutableFile(atPath: program.path), "swift build makes \(program.path)")
        return program
    }

    /// The top folder of the project.
    static var project: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    /// Starts poyang, or another `program`, such as one that judges its output.
    init(program: URL? = nil, _ arguments: [String], environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = try program ?? Self.executable()
        process.arguments = arguments
        process.currentDirectoryURL = Self.project
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try withCleanSignalMask { try process.run() }
        self.processID = process.processIdentifier
        self.process = Mutex(process)
        self.outputText = Text(reading: output)
        self.errorText = Text(reading: errors)
    }

    deinit {
        self.kill()
    }

    /// Runs the program to its end.
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
        let run = try PoyangProcess(arguments, environment: environment)
        try await run.waitForExit()
        return run.outcome
    }

    var output: String { self.outputText.text }
    var errors: String { self.errorText.text }
    var isRunning: Bool { self.process.withLock { $0.isRunning } }

    var outcome: Outcome {
        Outcome(status: self.process.withLock { $0.terminationStatus }, output: self.output, errors: self.errors)
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    func kill() {
        self.signal(SIGKILL)
    }

    func signal(_ number: Int32) {
        guard self.isRunning else { return }
        Foundation.kill(self.processID, number)
    }

    func waitForExit(within limit: Duration = .seconds(60)) async throws {
        try await eventually("the end of process \(self.processID)", within: limit) { !self.isRunning }
    }

    /// The rest of the first line of standard error that begins with `prefix`, awaited.
    func announced(_ prefix: String, within limit: Duration = .seconds(30)) async throws -> String {
        var found: String?
        try await eventually("a line '\(prefix)…' on standard error", within: limit) {
            found = self.errors.split(separator: "\n").first { $0.hasPrefix(prefix) }
                .map { String($0.dropFirst(prefix.count)) }
            return found != nil || !self.isRunning
        }
        return try #require(found, "the program ended without saying '\(prefix)…': \(self.errors)")
    }
}

/// A child inherits the signal mask of the thread that starts it, and threads of Dispatch block SIGTERM.
private func withCleanSignalMask(_ body: () throws -> Void) rethrows {
    var none = sigset_t()
    var saved = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &saved)
    defer { pthread_sigmask(SIG_SETMASK, &saved, nil) }
    try body()
}

/// Polls until a condition holds; fails with `what` after the deadline.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(30),
    poll: Duration = .milliseconds(20),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, "waited \(limit) for \(what)")
        try await Task.sleep(for: poll)
    }
}
