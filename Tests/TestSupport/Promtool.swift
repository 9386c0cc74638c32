// poyang
// SPDX-License-Identifier: Apache-2.0

package import Foundation

/// Prometheus's own tool for rule files, as Debian packages it.
package struct Promtool {
    private let program: URL

    /// Nil where it is not installed (`ops/setup prometheus`).
    package init?() {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
        let found = path.split(separator: ":").map { URL(fileURLWithPath: "\($0)/promtool") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        guard let found else { return nil }
        self.program = found
    }

    /// Whether it is there, or must be.
    package static var isExpected: Bool {
        ProcessInfo.processInfo.environment["CI"] == "true" || Promtool() != nil
    }

    /// Runs it to its end; `folder` is where its output is kept meanwhile.
    package func run(_ arguments: [String], in folder: URL) throws -> (status: Int32, output: String) {
        let file = folder.appendingPathComponent("promtool.out")
        try Data().write(to: file)
        let handle = try FileHandle(forWritingTo: file)
        let process = Process()
        process.executableURL = self.program
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        process.waitUntilExit()
        try handle.close()
        return (process.terminationStatus, String(decoding: try Data(contentsOf: file), as: UTF8.self))
    }
}
