// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif
import Testing

/// A `poyang serve` with a broker and folders of its own.
struct RunningService {
    let process: PoyangProcess
    let url: String
    let broker: String

    /// Starts the service and waits until it is subscribed.
    static func start(_ arguments: [String], environment: [String: String] = [:]) async throws -> RunningService {
        let process = try PoyangProcess(
            ["serve", "--listen", "127.0.0.1:0"] + arguments, environment: environment)
        let broker = try await process.announced("broker ")
        let url = try await process.announced("ready ")
        let service = RunningService(process: process, url: url, broker: broker)
        try await eventually("readiness of \(url)") { try await service.isReady() }
        return service
    }

    /// SIGTERM, and the end in order.
    func stop() async throws {
        self.process.signal(SIGTERM)
        try await self.process.waitForExit()
    }

    func isReady() async throws -> Bool {
        try await self.get("/-/ready").status == 200
    }

    func get(_ path: String) async throws -> (status: Int, body: Data) {
        let address = try #require(URL(string: self.url + path))
        let (body, response) = try await URLSession.shared.data(from: address)
        return (try #require(response as? HTTPURLResponse).statusCode, body)
    }

    func json(_ path: String) async throws -> [String: Any] {
        let answer = try await self.get(path)
        return try #require(try JSONSerialization.jsonObject(with: answer.body) as? [String: Any])
    }

    func status() async throws -> [String: Any] {
        try #require(try await self.json("/api/status")["service"] as? [String: Any])
    }

    func site(_ id: String) async throws -> [String: Any] {
        let sites = try #require(try await self.json("/api/status")["sites"] as? [[String: Any]])
        return try #require(sites.first { $0["site"] as? String == id })
    }

    /// Waits until so many messages came in and all of them were judged.
    func settled(messages: Int, within limit: Duration = .seconds(60)) async throws {
        try await eventually("\(messages) messages judged", within: limit) {
            let status = try await self.status()
            let arrived = (status["messages"] as? Int ?? 0)
            return arrived >= messages && status["processed"] as? Int == status["position"] as? Int
        }
    }
}

/// Gives `body` an empty folder and removes it afterwards.
func withTemporaryFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("poyang-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}
