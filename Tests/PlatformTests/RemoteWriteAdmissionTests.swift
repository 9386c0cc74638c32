// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import HTTPAPI
import Hummingbird
import NIOCore
import PayloadCodecs
import SeriesStorage
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Platform

/// What of a pushed request is stored, and how a request is answered.
struct RemoteWriteAdmissionTests {
    private static let now = Workbench.start

    private func request(_ times: [Milliseconds], _ labels: Labels = Labels(metric: "m")) -> RemoteWriteRequest {
        let samples = times.map { Sample(time: Self.now + $0, value: 1) }
        var request = RemoteWriteRequest()
        request.series.append(RemoteWriteSeries(labels: labels, samples: samples))
        return request
    }

    private func judge(
        _ request: RemoteWriteRequest,
        policy: IngestPolicy = IngestPolicy(),
        org: String? = nil
    ) throws -> RemoteWriteAdmission.Verdict {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            defer { try? bench.close() }
            return RemoteWriteAdmission(
                catalog: bench.resolver.catalog,
                policy: policy,
                org: org,
                receivedAt: Self.now
            )
            .judge(request)
        }
    }

    @Test func takesWhatIsAheadWithinTheSkewAndRefusesWhatIsBeyond() throws {
        let skew = IngestPolicy().skew
        let verdict = try self.judge(self.request([0, skew, skew + 1, 2 * skew]))
        #expect(verdict.batches.flatMap(\.readings).map(\.sample.time) == [Self.now, Self.now + skew])
        #expect(verdict.refusals.map(\.reason) == [.timeFuture])
        #expect(verdict.refusals.map(\.values) == [2])
    }

    @Test func refusesNothingForBeingAheadWhileOurOwnClockIsSuspect() throws {
        let policy = IngestPolicy(isOwnClockSuspect: true)
        let verdict = try self.judge(self.request([0, 365 * .day, .max]), policy: policy)
        #expect(verdict.batches.flatMap(\.readings).count == 2)
        // No year that cannot be written.
        #expect(verdict.refusals.map(\.reason) == [.timeFuture])
    }

    @Test func cutsALargeRequestIntoBatches() throws {
        let size = RemoteWriteAdmission.batchReadings
        let verdict = try self.judge(self.request((0..<Int64(2 * size + 1)).map { -$0 }))
        #expect(verdict.batches.map(\.readings.count) == [size, size, 1])
        #expect(verdict.refusals.isEmpty)
    }

    @Test func theSamplesKeepTheirBitsInTheStore() throws {
        let values = [0x7FF0_0000_0000_0002, 0x7FF8_0000_0000_0001, 0x8000_0000_0000_0000, 0xFFF0_0000_0000_0000]
            .map { Double(bitPattern: $0) }
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            defer { try? bench.close() }
            var batch = ReadingBatch(receivedAt: Self.now)
            let key = SeriesKey(labels: Labels(metric: "m"))
            batch.readings = values.enumerated()
                .map { index, value in
                    let sample = Sample(time: Self.now + Int64(index), value: value)
                    return ResolvedReading(series: key, sample: sample, hasOwnTime: true)
                }
            try bench.core.process(try bench.store.commit(batch), at: Self.now)
            let request = SelectRequest(
                matchers: [LabelMatcher("__name__", equals: "m")],
                extent: .window(after: .distantPast, through: .distantFuture),
                qualities: .all
            )
            let open = try bench.store.reader.select(request).flatMap(\.values)
            #expect(open.map(\.bitPattern) == values.map(\.bitPattern))
            try bench.core.sealAll(at: Self.now)
            let sealed = try bench.store.reader.select(request).flatMap(\.values)
            #expect(sealed.map(\.bitPattern) == values.map(\.bitPattern))
        }
    }

    private struct Refused: Error {}

    private func withIntake<Result>(
        _ commit: @escaping RemoteWriteIntake.Commit,
        _ body: (RemoteWriteIntake) async throws -> Result
    ) async throws -> Result {
        try await withTemporaryFolder { folder in
            let bench = try Workbench(folder)
            defer { try? bench.close() }
            return try await body(RemoteWriteIntake(resolver: bench.resolver, now: { Self.now }, commit: commit))
        }
    }

    private func body(_ series: Int = 1) -> RequestBody {
        let time = Self.now.milliseconds
        let bytes = PushedBody.body((0..<series).map { PushedBody.Series(["__name__": "m", "n": "\($0)"], [time: 1]) })
        return RequestBody(buffer: ByteBuffer(bytes: bytes))
    }

    @Test(.timeLimit(.minutes(1)))
    func aRequestIsAnsweredAfterItsCommit() async throws {
        let committed = Mutex(0)
        let commit: RemoteWriteIntake.Commit = { batch in committed.withLock { $0 += batch.readings.count } }
        try await self.withIntake(commit) { intake in
            let report = try await intake.take(self.body(12_000), from: "test", org: nil)
            #expect(report.stored == 12_000 && committed.withLock { $0 } == 12_000)
            #expect(intake.metrics.requests == [.stored: 1])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aFailedCommitIsAnsweredAsSomethingThatMayPass() async throws {
        let commit: RemoteWriteIntake.Commit = { _ in throw Refused() }
        try await self.withIntake(commit) { intake in
            let problem = await #expect(throws: APIProblem.self) {
                try await intake.take(self.body(), from: "test", org: nil)
            }
            #expect(problem?.status == .serviceUnavailable && problem?.retryAfter != nil)
            #expect(intake.metrics.requests == [.unavailable: 1])
        }
    }

    /// Those who work at the same time.
    private final class Crowd: Sendable {
        private let state = Mutex((now: 0, most: 0))
        var most: Int { self.state.withLock { $0.most } }

        func enter() {
            self.state.withLock { state in
                state.now += 1
                state.most = max(state.most, state.now)
            }
        }

        func leave() { self.state.withLock { $0.now -= 1 } }
    }

    /// However many come while the disk hangs, few threads wait and the memory is bounded.
    @Test(.timeLimit(.minutes(1)))
    func whoComesIntoAFullHouseIsSentAway() async throws {
        let turnstile = Turnstile(turns: 2, guests: 5)
        let crowd = Crowd()
        let gates = (0..<5).map { _ in AsyncStream.makeStream(of: Void.self) }
        let inside = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Bool?.self) { tasks in
            for gate in gates {
                tasks.addTask {
                    await turnstile.admit {
                        inside.continuation.yield()
                        await turnstile.takeTurn {
                            crowd.enter()
                            for await _ in gate.stream {}
                            crowd.leave()
                        }
                        return true
                    }
                }
            }
            var count = 0
            for await _ in inside.stream {
                count += 1
                if count == 5 { break }
            }
            #expect(await turnstile.admit { true } == nil)
            for gate in gates { gate.continuation.finish() }
            for try await result in tasks { #expect(result == true) }
        }
        #expect(crowd.most <= 2)
        #expect(await turnstile.admit { true } == true)
    }
}
