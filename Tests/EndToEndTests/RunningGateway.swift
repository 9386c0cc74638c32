// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A `poyang gateway sl651` on a free loopback port, which says what happens as JSON lines.
struct RunningGateway {
    let process: PoyangProcess
    let port: UInt16

    /// Starts the gateway and waits until it knows who is registered.
    static func start(_ arguments: [String], environment: [String: String] = [:]) async throws -> RunningGateway {
        let process = try PoyangProcess(
            ["gateway", "sl651", "--listen", "127.0.0.1:0", "--json"] + arguments,
            environment: environment
        )
        let port = try await process.announced("ready tcp://127.0.0.1:")
        let gateway = RunningGateway(process: process, port: try #require(UInt16(port)))
        try await gateway.event("stations_known")
        return gateway
    }

    /// The lines of one kind that it has printed.
    func events(_ name: String) -> [[String: Any]] {
        self.process.output.split(separator: "\n")
            .compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            .filter { $0["event"] as? String == name }
    }

    /// Waits until it has printed so many lines of one kind.
    func event(_ name: String, times: Int = 1) async throws {
        try await eventually("\(times) events \(name) in \(self.process.output)") { self.events(name).count >= times }
    }

    /// SIGTERM, and the end in order; returns what it has counted.
    @discardableResult
    func stop() async throws -> [String: Any] {
        self.process.signal(SIGTERM)
        try await self.process.waitForExit()
        #expect(self.process.outcome.status == 0, "\(self.process.errors)")
        let stopped = self.events("stopped")
        #expect(stopped.count == 1)
        return stopped.first ?? [:]
    }
}
