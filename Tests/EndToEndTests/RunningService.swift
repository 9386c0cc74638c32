// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A `poyang serve` with a broker and folders of its own.
struct RunningService {
    let process: PoyangProcess
    let url: String
    let broker: String

    /// Starts the service and waits until it is subscribed.
    static func start(_ arguments: [String], environment: [String: String] = [:]) async throws -> RunningService {
        let service = try await self.launch(arguments, environment: environment)
        try await eventually("readiness of \(service.url)") { try await service.isReady() }
        return service
    }

    /// Starts the service and waits until it listens.
    static func launch(_ arguments: [String], environment: [String: String] = [:]) async throws -> RunningService {
        let process = try PoyangProcess(
            ["serve", "--listen", "127.0.0.1:0"] + arguments,
            environment: environment
        )
        let broker = try await process.announced("broker ")
        let url = try await process.announced("ready ")
        return RunningService(process: process, url: url, broker: broker)
    }

    /// SIGTERM, and the end in order.
    func stop() async throws {
        self.process.signal(SIGTERM)
        try await self.process.waitForExit()
    }

    /// The end that nobody asked for.
    func die(by crash: Crash) async throws {
        self.process.signal(crash.signal)
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

    /// All stored samples of the one series of a metric at a site, or of one of those of several devices.
    func samples(
        of metric: String,
        at site: String,
        sensor: String? = nil
    ) async throws -> [(time: Double, value: Double)] {
        // Readings without a time of their own may be a little ahead, where many came in one millisecond.
        let end = Int(Date().timeIntervalSince1970) + 600
        let device = sensor.map { "%2Csensor%3D%22\($0)%22" } ?? ""
        let selector = "\(metric)%7Bsite%3D%22\(site)%22\(device)%7D%5B100y%5D"
        let answer = try await self.json("/api/v1/query?query=\(selector)&time=\(end)")
        let result = try #require((answer["data"] as? [String: Any])?["result"] as? [[String: Any]], "\(answer)")
        try #require(result.count <= 1, "one series of \(metric)")
        return (result.first?["values"] as? [[Any]] ?? [])
            .compactMap { point in
                guard let time = point.first as? Double, let text = point.last as? String else { return nil }
                return Double(text).map { (time, $0) }
            }
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
