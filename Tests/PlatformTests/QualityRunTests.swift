// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import SeriesStorage
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import DeviceCatalog
@testable import HTTPAPI
@testable import Platform

/// Tests of stored history take no more than queries may.
struct QualityRunTests {
    /// Each of 2,000 series takes 2 ms; the answer is how many were tested.
    private func app(_ queries: QueryService, tested: Tested) -> some ApplicationProtocol {
        let router = Router(context: APIRequestContext.self)
        router.add(middleware: ProblemMiddleware())
        router.get("/api/qc") { _, context in
            let reports = try await QualityRoutes.reports(
                of: { (0..<2000).map { Labels(metric: "level_\($0)") } },
                for: context,
                among: queries
            ) { _ in
                usleep(2000)
                return tested.count.withLock { count in
                    count += 1
                    return count
                }
            }
            return "\(reports.count)"
        }
        return Application(router: router, server: OpenConnections().server)
    }

    private final class Tested: Sendable {
        let count = Mutex(0)
    }

    @Test(.timeLimit(.minutes(1)))
    func aRunIsRefusedWhereTooManyWait() async throws {
        let tested = Tested()
        let queries = QueryService(gate: QueryGate(capacity: 0, waiting: 0))
        try await self.app(queries, tested: tested)
            .test(.live) { client in
                try await client.execute(uri: "/api/qc", method: .get) { response in
                    #expect(response.status == .serviceUnavailable)
                    #expect(response.headers[.retryAfter] == "5")
                    #expect(response.headers[.contentType] == "application/problem+json")
                    #expect(String(buffer: response.body).contains("detail_zh"))
                }
            }
        #expect(tested.count.withLock { $0 } == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func aRunEndsBetweenTwoSeriesWhenItTakesTooLong() async throws {
        let tested = Tested()
        let queries = QueryService(timeout: .milliseconds(100))
        try await self.app(queries, tested: tested)
            .test(.live) { client in
                try await client.execute(uri: "/api/qc", method: .get) { response in
                    #expect(response.status == .serviceUnavailable)
                    #expect(String(buffer: response.body).contains("longer than a query may"))
                }
            }
        let count = tested.count.withLock { $0 }
        #expect(count > 0 && count < 2000)
    }

    @Test func manyRevisionsAreJournalledInSeveralEntries() throws {
        try Workbench.inFolders(["models/acme/level.yaml": "channels: { water_level_meters: { key: level } }"]) {
            data,
            devices in
            let bench = try Workbench(data, devices: devices)
            let processor = Processor(
                core: bench.core,
                store: bench.store,
                now: { Workbench.start },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            let series = Labels(metric: "water_level_meters", ["site": "creek"])
            let position = bench.store.committedPosition
            let findings = (0..<4500)
                .map { index in
                    let sample = Sample(time: Workbench.start + Milliseconds(index) * .minute, value: 1)
                    return QualityReview.Finding(sample: sample, mark: SampleMark(quality: .suspect))
                }
            try processor.commit(revisions: findings, of: series, at: Workbench.start + 5000 * .minute)
            let entries = try bench.store.entries(after: position, limit: .max)
            let counts = entries.map { entry in
                guard case .readings(let readings) = entry.content else { return 0 }
                return readings.count
            }
            #expect(counts == [2000, 2000, 500])
            try processor.commit(revisions: [], of: series, at: Workbench.start)
            #expect(try bench.store.entries(after: position, limit: .max).count == 3)
            try bench.close()
        }
    }
}
