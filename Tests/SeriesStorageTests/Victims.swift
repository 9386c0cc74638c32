// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Runs of `CrashWriter`, with and without a shim of `Tests/Faults`.
enum Victims {
    /// Builds a shim.
    static func buildShim(_ name: String, in directory: String) throws -> String {
        let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Faults/\(name).c").path
        let library = directory + "/\(name).so"
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/env")
        compiler.arguments = ["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread"]
        try compiler.run()
        compiler.waitUntilExit()
        #expect(compiler.terminationStatus == 0, "cc cannot build \(source)")
        return library
    }

    /// An executable of this package, which lies beside the tests.
    static func product(_ name: String) throws -> URL {
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let places = [program, URL(filePath: CommandLine.arguments.first ?? "")] + Bundle.allBundles.map(\.bundleURL)
        let candidates = places.map { $0.deletingLastPathComponent().appending(path: name) }
        return try #require(
            candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) },
            "\(name) is not built"
        )
    }

    /// Starts a process whose standard output is a pipe.
    static func start(_ arguments: [String], environment: [String: String]) throws -> (Process, FileHandle) {
        let process = Process()
        process.executableURL = try self.product("CrashWriter")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        return (process, output.fileHandleForReading)
    }

    /// The complete lines of an output; the last one without its end was cut off and says nothing.
    static func lines(_ text: Data) -> [[String]] {
        String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map { $0.split(separator: " ").map(String.init) }
    }
}
