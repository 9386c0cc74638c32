// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Clients that ask the service range queries all the time: `ops/query-load` as a child.
final class QueryLoad {
    /// What became of the queries.
    struct Outcome: Decodable {
        let answered: Int
        /// With 503 and `Retry-After`.
        let refused: Int
        let failed: [String: Int]
        let medianMilliseconds: Int?

        enum CodingKeys: String, CodingKey {
            case answered, refused, failed
            case medianMilliseconds = "median_ms"
        }
    }

    private let process = Process()
    private let output = Pipe()

    /// - Parameters:
    ///   - program: `ops/query-load`.
    ///   - url: Of the service.
    ///   - clients: How many ask at once.
    ///   - span: Unix seconds, from and to.
    /// - Throws: When the program cannot be started.
    init(program: String, url: String, clients: Int, span: ClosedRange<Int>) throws {
        self.process.executableURL = URL(fileURLWithPath: program)
        self.process.arguments = [
            url, "--clients", "\(clients)", "--start", "\(span.lowerBound)", "--end", "\(span.upperBound)", "--step",
            "\(max(1, span.count / 2000))",
        ]
        self.process.standardOutput = self.output
        try self.process.run()
    }

    deinit { if self.process.isRunning { self.process.terminate() } }

    func stop() throws -> Outcome {
        self.process.terminate()
        let text = self.output.fileHandleForReading.readDataToEndOfFile()
        self.process.waitUntilExit()
        return try JSONDecoder().decode(Outcome.self, from: text)
    }
}
