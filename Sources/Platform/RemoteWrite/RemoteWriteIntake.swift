// poyang
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DeviceCatalog
import HTTPAPI
import Hummingbird
import NIOCore
import PayloadCodecs
import Synchronization
import Telemetry

/// The way of pushed samples into the journal: the same as that of readings from MQTT, so that the rules see them.
///
/// A body is answered for when all that was taken of it is on disk. What a sender cannot mend by sending it again is
/// answered with 4xx, so that it goes on with what comes next; what may succeed later with 503.
final class RemoteWriteIntake: Sendable {
    /// Two, so that one is decoded while the other waits for the disk.
    private static let turns = 2
    /// Bodies in memory; whoever comes beyond that is told to come again.
    private static let guests = 64
    /// Seconds after which who was sent away may come again.
    private static let retryAfter = 5

    /// Where a batch is made durable; it throws when nothing of it was.
    typealias Commit = @Sendable (ReadingBatch) throws -> Void

    private let resolver: CatalogResolver
    private let commit: Commit
    private let now: @Sendable () -> Timestamp
    private let turnstile = Turnstile(turns: RemoteWriteIntake.turns, guests: RemoteWriteIntake.guests)
    private let counted = Mutex(RemoteWriteMetrics())

    init(resolver: CatalogResolver, now: @escaping @Sendable () -> Timestamp, commit: @escaping Commit) {
        self.resolver = resolver
        self.now = now
        self.commit = commit
    }

    var metrics: RemoteWriteMetrics { self.counted.withLock { $0 } }

    /// Takes one request.
    ///
    /// - Parameters:
    ///   - body: As it comes, compressed.
    ///   - sender: Named where something was refused.
    ///   - org: Only series of this org are taken; nil takes all.
    /// - Returns: What became of it, when everything that was accepted is on disk.
    /// - Throws: ``APIProblem`` for a body that cannot be used, and 503 when nothing can be stored now.
    func take(_ body: RequestBody, from sender: String, org: String?) async throws -> RemoteWriteReport {
        do {
            let report = try await self.turnstile.admit {
                let bytes = try await self.collect(body)
                return try await self.turnstile.takeTurn {
                    try await onThread("poyang-push") { try self.store(bytes, from: sender, org: org) }
                }
            }
            guard let report else { throw self.unavailable("too many requests wait to be stored") }
            self.counted.withLock { $0.count(report) }
            return report
        } catch {
            let isLater = (error as? APIProblem)?.status == .serviceUnavailable
            self.counted.withLock { $0.requests[isLater ? .unavailable : .refused, default: 0] += 1 }
            throw error
        }
    }

    private func collect(_ body: RequestBody) async throws -> ByteBuffer {
        var bytes = ByteBuffer()
        for try await var piece in body {
            let count = bytes.readableBytes + piece.readableBytes
            guard count <= RemoteWriteCodec.maximumBody else {
                throw APIProblem(.contentTooLarge, "\(RemoteWriteCodec.tooLarge(count))")
            }
            bytes.writeBuffer(&piece)
        }
        return bytes
    }

    /// Decodes and commits; blocks the thread meanwhile.
    private func store(_ body: ByteBuffer, from sender: String, org: String?) throws -> RemoteWriteReport {
        let request: RemoteWriteRequest
        do {
            request = try body.withUnsafeReadableBytes { try RemoteWriteCodec.decode($0) }
        } catch let error as RemoteWriteError {
            throw APIProblem(error.code == .tooLarge ? .contentTooLarge : .badRequest, error.message)
        }
        let admission = RemoteWriteAdmission(
            catalog: self.resolver.catalog,
            policy: self.resolver.policy,
            org: org,
            receivedAt: self.now()
        )
        var verdict = admission.judge(request)
        let accepted = verdict.batches.reduce(0) { $0 + $1.readings.count }
        for index in verdict.batches.indices {
            self.resolver.test(&verdict.batches[index].readings, receivedAt: admission.receivedAt)
        }
        if !verdict.refusals.isEmpty {
            if verdict.batches.isEmpty { verdict.batches.append(ReadingBatch(receivedAt: admission.receivedAt)) }
            let refused = self.quarantined(body, from: sender, verdict.refusals, at: admission.receivedAt)
            verdict.batches[0].quarantined.append(refused)
        }
        if !verdict.batches.isEmpty { verdict.batches[0].messages = 1 }
        var committed = 0
        do {
            for batch in verdict.batches {
                try self.commit(batch)
                committed += 1
            }
        } catch {
            for batch in verdict.batches[committed...] { self.resolver.forget(batch.readings) }
            throw self.unavailable("\(error)")
        }
        return RemoteWriteReport(
            stored: accepted,
            refusals: verdict.refusals,
            exemplars: request.exemplars,
            histograms: request.histograms
        )
    }

    private func quarantined(
        _ body: ByteBuffer,
        from sender: String,
        _ refusals: [Refusal],
        at receivedAt: Timestamp
    ) -> QuarantinedPayload {
        let digest = body.withUnsafeReadableBytes { bytes in
            var digest = SHA256()
            digest.update(bufferPointer: bytes)
            return digest.finalize()
        }
        return QuarantinedPayload(
            topic: "/api/v1/write from \(sender)",
            device: "",
            receivedAt: receivedAt,
            payload: Array(body.readableBytesView.prefix(QuarantinedPayload.keptBytes)),
            length: body.readableBytes,
            sha256: digest.hexadecimal(),
            refusals: refusals
        )
    }

    private func unavailable(_ reason: String) -> APIProblem {
        APIProblem(.serviceUnavailable, "nothing can be stored now: \(reason)", retryAfter: Self.retryAfter)
    }
}
