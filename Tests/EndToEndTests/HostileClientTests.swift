// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Clients that go away in the midst of something, or that ask in ways of their own.
struct HostileClientTests {
    private func withService(_ body: (RunningService, Connection) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("data").path
            let service = try await RunningService.start(["--embedded-broker", "--exercise", "--data", data])
            let connection = try Connection(port: try #require(URL(string: service.url)?.port))
            defer { connection.close() }
            try await body(service, connection)
        }
    }

    /// It once kept the service from ending, for ever.
    @Test(.timeLimit(.minutes(2)))
    func halfARequestDoesNotKeepTheServiceFromEnding() async throws {
        try await self.withService { service, connection in
            connection.send("POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n")
            connection.send("Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\nquery")
            _ = try await connection.answer(endingWith: "100 Continue\r\n\r\n")
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func headIsAnsweredWithoutABodyAndPathsMayBeEncoded() async throws {
        try await self.withService { service, connection in
            for (path, status) in [("/-/ready", 200), ("/api/nothing", 404), ("/api/sites/x%69ngzi", 200)] {
                connection.send("HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let head = try await connection.answer(endingWith: "\r\n\r\n")
                #expect(head.hasPrefix("HTTP/1.1 \(status) "), "\(path): \(head)")
            }
            connection.send("GET /-/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let answer = try await connection.answer(endingWith: "ok\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
            connection.send(
                "POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n"
                    + "Content-Type: application/x-www-form-urlencoded\r\n\r\nx"
            )
            let refusal = try await connection.answer(endingWith: "}")
            #expect(refusal.hasPrefix("HTTP/1.1 415 "), "\(refusal)")
            try await service.stop()
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func anImportMayBeCompressed() async throws {
        // {"metric":{"__name__":"m"},"values":[1],"timestamps":[1800000000000]}
        let line = try #require(
            Data(
                base64Encoded: "H4sIAAAAAAACA6tWyk0tKcpMVrKqVoqPz0vMTY2PV7JSylWq1VEqS8wpTS1Wsoo2"
                    + "jNVRKsnMTS0uScwtAAtYGCBAbC0XAKjWPL5GAAAA"
            )
        )
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start(["--embedded-broker", "--exercise", "--data", folder.path])
            let token = try await RunningService.makeToken("writer", data: folder).token
            func imports(_ body: Data) async throws -> (status: Int, text: String) {
                try await service.send(
                    "/api/v1/import",
                    method: "POST",
                    token: token,
                    headers: ["Content-Encoding": "gzip", "Content-Type": "application/json"],
                    body: body
                )
            }
            let whole = try await imports(line)
            #expect(whole.status == 200 && whole.text.contains("\"stored\":1"), "\(whole)")
            let part = try await imports(line.dropLast())
            #expect(part.status == 400 && part.text.contains("the gzip input breaks off"), "\(part)")
            try await service.stop()
        }
    }
}
