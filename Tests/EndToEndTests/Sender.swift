// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A program of others that scrapes and pushes, on a free port of 127.0.0.1 and a folder of its own.
struct Sender {
    let process: PoyangProcess
    let url: String

    /// A port for a sender, known before it starts, so that it can be told to scrape itself.
    static func freePort() throws -> UInt16 { try LoopbackPort.free() }

    /// Debian's Prometheus, which also takes what is pushed to it.
    static func prometheus(_ configuration: String, port: UInt16, in folder: URL) async throws -> Sender {
        let file = folder.appendingPathComponent("prometheus.yml")
        try Data(configuration.utf8).write(to: file)
        return try await self.start(
            "prometheus",
            [
                "--config.file=\(file.path)", "--storage.tsdb.path=\(folder.appendingPathComponent("prometheus").path)",
                "--web.listen-address=127.0.0.1:\(port)", "--web.enable-remote-write-receiver",
                "--log.level=warn",
            ],
            port: port,
            health: "/-/ready"
        )
    }

    /// Debian's vmagent.
    static func vmagent(
        _ configuration: String,
        to urls: [String],
        token: String,
        port: UInt16,
        in folder: URL
    ) async throws -> Sender {
        let file = folder.appendingPathComponent("vmagent.yml")
        try Data(configuration.utf8).write(to: file)
        return try await self.start(
            "vmagent",
            urls.map { "-remoteWrite.url=\($0)" } + [
                "-remoteWrite.bearerToken=\(token)", "-promscrape.config=\(file.path)",
                "-remoteWrite.tmpDataPath=\(folder.appendingPathComponent("vmagent").path)",
                "-remoteWrite.flushInterval=200ms", "-httpListenAddr=127.0.0.1:\(port)",
            ],
            port: port,
            health: "/health"
        )
    }

    private static func start(
        _ name: String,
        _ arguments: [String],
        port: UInt16,
        health: String
    ) async throws -> Sender {
        let program = URL(fileURLWithPath: "/usr/bin/\(name)")
        try #require(
            FileManager.default.isExecutableFile(atPath: program.path),
            "\(program.path) is missing: `ops/setup prometheus victoria-metrics`"
        )
        let sender = Sender(process: try PoyangProcess(program: program, arguments), url: "http://127.0.0.1:\(port)")
        try await eventually("an answer of \(name)") {
            try #require(sender.process.isRunning, "\(sender.process.errors)")
            return (try? await sender.get(health))?.status == 200
        }
        return sender
    }

    /// SIGTERM, and the end in order: what is in memory is pushed before.
    func stop() async throws {
        self.process.signal(SIGTERM)
        try await self.process.waitForExit()
    }

    func get(_ path: String, token: String? = nil) async throws -> (status: Int, body: Data) {
        try await Self.get(self.url + path, token: token)
    }

    static func get(_ url: String, token: String?) async throws -> (status: Int, body: Data) {
        var request = URLRequest(url: try #require(URL(string: url)))
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (body, response) = try await URLSession.shared.data(for: request)
        return (try #require(response as? HTTPURLResponse).statusCode, body)
    }
}

/// What a Prometheus API answers to a query for samples: series by series, point by point.
struct RawSamples: Equatable {
    /// The labels of a series as JSON, and its points as they were written, time first.
    var series: [String: [String]] = [:]

    /// Asks whoever listens at `url`.
    init(_ query: String, at time: Double, from url: String, token: String? = nil) async throws {
        let text = try #require(query.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        let answer = try await Sender.get("\(url)/api/v1/query?query=\(text)&time=\(time)", token: token)
        let json = try JSONSerialization.jsonObject(with: answer.body) as? [String: Any]
        let data = try #require(json?["data"] as? [String: Any], "\(String(decoding: answer.body, as: UTF8.self))")
        for row in try #require(data["result"] as? [[String: Any]]) {
            let labels = try JSONSerialization.data(withJSONObject: row["metric"] ?? [:], options: .sortedKeys)
            let points = row["values"] as? [[Any]] ?? [row["value"] as? [Any] ?? []]
            self.series[String(decoding: labels, as: UTF8.self)] = points.map { point in
                guard point.count == 2, let time = point[0] as? Double, let value = point[1] as? String else {
                    return "\(point)"
                }
                // The same number may be written in other ways.
                return "\((time * 1000).rounded()) \(Double(value).map { "\($0)" } ?? value)"
            }
        }
    }

    var points: Int { self.series.values.reduce(0) { $0 + $1.count } }

    /// The first difference, for a message; nil where there is none.
    func difference(from other: RawSamples) -> String? {
        for (labels, points) in self.series.sorted(by: { $0.key < $1.key }) where other.series[labels] != points {
            return "\(labels): \(points) is not \(other.series[labels] ?? [])"
        }
        return other.series.keys.first { self.series[$0] == nil }.map { "\($0) is here alone" }
    }
}
