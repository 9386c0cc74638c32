// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import HummingbirdTesting
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import HTTPAPI
@testable import PromQL

/// Who gets in, who waits, who is refused, and what ends a query.
struct QueryServiceTests {
    @Test(.timeLimit(.minutes(1)))
    func lettingSoManyInAndSoManyWait() async throws {
        let gate = QueryGate(capacity: 1, waiting: 1)
        var first = await gate.enter()
        #expect(first != nil)
        let second = Task { await gate.enter() != nil }
        while gate.waiting < 1 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(await gate.enter() == nil)
        #expect(gate.refused == 1)
        #expect(gate.inside == 1)
        first = nil
        #expect(await second.value)
        while gate.inside > 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(await gate.enter() != nil)
    }

    private func app(_ service: QueryService, _ work: @escaping @Sendable (QueryStop) throws -> String)
        -> some ApplicationProtocol
    {
        let router = Router(context: APIRequestContext.self)
        router.group("/api").add(middleware: PrometheusErrors())
            .on("/work", method: .post) { request, context in
                let parameters = try await RequestParameters(request)
                let limit = parameters["timeout"].flatMap(Int.init).map(Duration.milliseconds)
                return try await service.evaluate(context, within: limit, work).result
            }
        return Application(router: router, server: OpenConnections().server)
    }

    /// Waits until the query is stopped, as an evaluation does between two series.
    @Sendable private static func waitForStop(_ stop: QueryStop) throws -> String {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            try stop.check()
            usleep(1000)
        }
        return "never stopped"
    }

    @Test(.timeLimit(.minutes(1)), arguments: [50, 600])
    func endsAQueryThatTakesTooLong(milliseconds: Int) async throws {
        let app = self.app(QueryService(), Self.waitForStop)
        try await app.test(.live) { client in
            try await client.execute(uri: "/api/work?timeout=\(milliseconds)", method: .post) { response in
                #expect(response.status == .serviceUnavailable)
                #expect(String(buffer: response.body).contains(#""errorType":"timeout""#))
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func endsAQueryWhoseClientHasGone() async throws {
        let reason = Mutex<PromQLError.Code?>(nil)
        let began = Mutex(false)
        let app = self.app(QueryService()) { stop in
            began.withLock { $0 = true }
            do { return try Self.waitForStop(stop) } catch {
                reason.withLock { $0 = (error as? PromQLError)?.code }
                throw error
            }
        }
        try await app.test(.live) { client in
            let connection = try Connection(port: try #require(client.port))
            connection.post("/api/work")
            while !began.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
            connection.close()
            while reason.withLock({ $0 }) == nil { try await Task.sleep(for: .milliseconds(5)) }
            #expect(reason.withLock { $0 } == .canceled)
        }
    }

    /// A slow query once ended its connection, and a posted one the service.
    @Test(.timeLimit(.minutes(1)))
    func aConnectionServesAnotherRequestAfterASlowQuery() async throws {
        let app = self.app(QueryService()) { _ in
            usleep(600_000)
            return "an answer"
        }
        try await app.test(.live) { client in
            let connection = try Connection(port: try #require(client.port))
            defer { connection.close() }
            for _ in 0..<3 {
                connection.post("/api/work")
                let answer = try await connection.answer(endingWith: "an answer")
                #expect(answer.hasPrefix("HTTP/1.1 200 OK"), "\(answer)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func refusesWhatIsTooMuchWithAdviceWhenToComeBack() async throws {
        let service = QueryService(gate: QueryGate(capacity: 0, waiting: 0))
        try await self.app(service) { _ in "done" }
            .test(.live) { client in
                try await client.execute(uri: "/api/work", method: .post) { response in
                    #expect(response.status == .serviceUnavailable)
                    #expect(response.headers[.retryAfter] == "5")
                    #expect(String(buffer: response.body).contains(#""errorType":"unavailable""#))
                }
            }
    }

    @Test(.timeLimit(.minutes(1)))
    func partsAreDoneOnceEachByWhoeverIsFree() async throws {
        let threads = QueryThreads(count: 3)
        for parts in [0, 1, 2, 7, 1000] {
            let counts = Mutex(Array(repeating: 0, count: parts))
            let sum = try await threads.run {
                // From a query thread, as evaluations do, all of which may be busy.
                threads.perform(parts: parts) { part in counts.withLock { $0[part] += 1 } }
                return threads.map(parts) { range in range.reduce(0, +) }.reduce(0, +)
            }
            #expect(sum == parts * (parts - 1) / 2)
            #expect(counts.withLock { $0.allSatisfy { $0 == 1 } })
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func anErrorOfOnePartIsTheErrorOfAll() async throws {
        struct Broken: Error, Equatable { let part: Int }
        let threads = QueryThreads(count: 2)
        await #expect(throws: Broken(part: 70)) {
            try await threads.run {
                try threads.map(100) { range throws(Broken) in
                    if range.contains(70) { throw Broken(part: 70) }
                    return range.count
                }
            }
        }
    }
}
