// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

extension RunningService {
    /// Makes a token while the service runs.
    static func makeToken(
        _ role: String,
        org: String? = nil,
        data: URL
    ) async throws -> (id: String, token: String) {
        let run = try await PoyangProcess.run(
            ["token", "create", "--json", "--role", role, "--data", data.path] + (org.map { ["--org", $0] } ?? [])
        )
        let rows = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]]
        let row = try #require(rows?.first, "\(run.errors)")
        return (try #require(row["id"] as? String), try #require(row["token"] as? String))
    }

    /// Status and body of a request.
    func send(
        _ path: String,
        method: String = "GET",
        token: String? = nil,
        headers: [String: String] = [:],
        body: Data? = nil
    ) async throws -> (status: Int, text: String) {
        var request = URLRequest(url: try #require(URL(string: self.url + path)))
        request.httpMethod = method
        request.httpBody = body
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        return (try #require(response as? HTTPURLResponse).statusCode, String(decoding: data, as: UTF8.self))
    }

    /// Pushes a body as Prometheus does; `headers` replace those of remote write 1.0.
    func push(
        _ body: [UInt8],
        token: String?,
        headers: [String: String] = [:]
    ) async throws -> (status: Int, text: String) {
        let standard = [
            "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        ]
        return try await self.send(
            "/api/v1/write",
            method: "POST",
            token: token,
            headers: standard.merging(headers) { $1 },
            body: Data(body)
        )
    }
}
