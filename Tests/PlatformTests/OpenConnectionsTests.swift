// poyang
// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import HummingbirdTesting
import PromQL
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import HTTPAPI

/// What clients that break off, wait or stand still do to a server.
struct OpenConnectionsTests {
    private func app(
        _ connections: OpenConnections,
        queries: QueryService = QueryService()
    ) -> some ApplicationProtocol {
        let router = Router(context: APIRequestContext.self)
        router.add(middleware: ProblemMiddleware())
        router.post("/body") { request, _ in String(buffer: try await request.wholeBody()) }
        router.group("/prometheus").add(middleware: PrometheusErrors())
            .on("/body", method: .post) { request, _ in String(buffer: try await request.wholeBody()) }
        // Some 30 MB, more than the system keeps for a client that does not read.
        router.get("/long") { _, context in
            let (pieces, permit) = try await queries.evaluate(context, within: nil) { _ in
                let text = try Query(.string(String(repeating: "a", count: 30 << 20)))
                let answer = try Evaluator(reader: MemorySeriesReader()).instant(text, at: .distantPast)
                return AnswerPieces(answer, at: .distantPast, limit: nil, workers: queries.threads)
            }
            return Response(status: .ok, body: queries.body(permit, pieces, over: context.channel))
        }
        return Application(router: router, server: connections.server)
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["/body", "/prometheus/body"])
    func aBodyThatBreaksOffIsOneBadRequest(path: String) async throws {
        try await self.app(OpenConnections())
            .test(.live) { client in
                let connection = try Connection(port: try #require(client.port))
                defer { connection.close() }
                connection.send("POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nsome of it")
                connection.endSending()
                let answer = try await connection.answer(endingWith: "never")
                #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request"), "\(answer)")
                #expect(answer.split(separator: "HTTP/1.1").count == 1, "\(answer)")
            }
    }

    @Test(.timeLimit(.minutes(1)))
    func aClientThatAsksFirstIsToldToGoOn() async throws {
        try await self.app(OpenConnections())
            .test(.live) { client in
                let connection = try Connection(port: try #require(client.port))
                defer { connection.close() }
                connection.send(
                    "POST /body HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
                )
                let start = "HTTP/1.1 100 Continue\r\n\r\n"
                #expect(try await connection.answer(endingWith: start) == start)
                connection.send("word")
                let answer = try await connection.answer(endingWith: "word")
                #expect(answer.hasPrefix("HTTP/1.1 200 OK"), "\(answer)")
            }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["", "POST /body HTTP/1.1\r\nContent-Length: 9\r\n\r\n", "GET /lon"])
    func whoSendsNothingMoreIsNotWaitedFor(start: String) async throws {
        let connections = OpenConnections(idleTimeout: .milliseconds(100))
        try await self.app(connections)
            .test(.live) { client in
                let connection = try Connection(port: try #require(client.port))
                defer { connection.close() }
                connection.send(start)
                _ = try await connection.answer(endingWith: "never")
                while connections.count > 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
    }

    @Test(.timeLimit(.minutes(1)))
    func closingThemEndsRequestsThatAreUnderWay() async throws {
        let connections = OpenConnections()
        try await self.app(connections)
            .test(.live) { client in
                let connection = try Connection(port: try #require(client.port))
                defer { connection.close() }
                connection.send(
                    "POST /body HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
                )
                // The request is under way; the test's own client has a connection, too.
                _ = try await connection.answer(endingWith: "100 Continue\r\n\r\n")
                connections.close()
                #expect(try await connection.answer(endingWith: "never") == "")
            }
    }

    /// Four of them once kept all others from asking.
    @Test(.timeLimit(.minutes(1)))
    func aClientThatDoesNotTakeItsAnswerLosesItsPlace() async throws {
        let queries = QueryService(patience: .milliseconds(200))
        try await self.app(OpenConnections(), queries: queries)
            .test(.live) { client in
                let connection = try Connection(port: try #require(client.port))
                defer { connection.close() }
                connection.send("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n")
                try await connection.untilAnswered()
                while queries.gate.inside > 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
    }
}
