// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A Prometheus of the system with data of our own, on a free port.
struct PrometheusServer {
    let process: PoyangProcess
    let url: String

    /// Whether the programs are installed; where they must be, a test that needs them runs and fails.
    static var isExpected: Bool {
        ProcessInfo.processInfo.environment["CI"] == "true"
            || ["prometheus", "promtool"].allSatisfy { (try? self.program($0)) != nil }
    }

    static func program(_ name: String) throws -> URL {
        let path: String = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
        let found = path.split(separator: ":").map { URL(fileURLWithPath: "\($0)/\(name)") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        return try #require(found, "\(name) is missing; `ops/setup prometheus` installs it")
    }

    /// Starts a Prometheus that has the samples of an OpenMetrics file.
    static func start(with file: URL, in folder: URL) async throws -> PrometheusServer {
        let data = folder.appendingPathComponent("prometheus").path
        let fill = try PoyangProcess(
            program: self.program("promtool"),
            ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=48h", file.path, data]
        )
        try await fill.waitForExit()
        try #require(fill.outcome.status == 0, "\(fill.errors)")
        let configuration = folder.appendingPathComponent("prometheus.yml")
        try Data().write(to: configuration)
        // Somebody else may take the port before Prometheus does.
        for _ in 0..<5 {
            let url = "127.0.0.1:\(try LoopbackPort.free())"
            let process = try PoyangProcess(
                program: self.program("prometheus"),
                [
                    "--config.file=\(configuration.path)", "--storage.tsdb.path=\(data)",
                    "--storage.tsdb.retention.time=100y", "--web.listen-address=\(url)", "--log.level=warn",
                ]
            )
            let server = PrometheusServer(process: process, url: "http://" + url)
            try await eventually("readiness of Prometheus") {
                if !process.isRunning { return true }
                return await server.isReady()
            }
            if process.isRunning { return server }
            try #require(process.errors.contains("address already in use"), "\(process.errors)")
        }
        throw CancellationError()
    }

    func stop() async throws {
        self.process.signal(SIGTERM)
        try await self.process.waitForExit()
    }

    private func isReady() async -> Bool {
        guard let url = URL(string: self.url + "/-/ready") else { return false }
        let answer = try? await URLSession.shared.data(from: url)
        return (answer?.1 as? HTTPURLResponse)?.statusCode == 200
    }
}
