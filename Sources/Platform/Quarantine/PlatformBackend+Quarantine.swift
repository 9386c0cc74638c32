// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
package import HTTPAPI
import MQTTIngest
package import SeriesStorage
import Telemetry

extension PlatformBackend {
    package func retry(_ entry: QuarantineEntry) async throws -> RetryReport {
        let payload = entry.payload
        guard payload.payload.count == payload.length else {
            throw APIProblem.conflict(
                "of \(payload.length) bytes the first \(payload.payload.count) were kept; have it sent again",
                zh: "共 \(payload.length) 字节，仅保留了前 \(payload.payload.count) 字节；请让设备重新发送"
            )
        }
        guard !payload.topic.hasPrefix("/") else {
            throw APIProblem.conflict(
                "it was pushed over HTTP and belongs to no topic; push the samples again",
                zh: "该数据经 HTTP 推送，没有主题；请重新推送"
            )
        }
        let message = RefusedMessage(payload, resolver: self.resolver)
        let report = RetryReport(
            id: entry.id,
            taken: message.readings.count { !$0.isRevision },
            refused: message.refusals
        )
        guard report.taken > 0 || message.refusals.isEmpty else {
            self.resolver.forget(message.readings)
            throw APIProblem.unprocessable(
                "all of it is refused again: \(report.detail)",
                zh: "全部数据仍被拒绝：\(report.detail)"
            )
        }
        var batch = ReadingBatch(receivedAt: self.now())
        batch.readings = try await self.besideStored(message.readings)
        if message.refusals.isEmpty { batch.released = [entry.id] }
        let (processor, resolver, adding) = (self.processor, self.resolver, batch)
        try await onThread("poyang-retry") {
            do {
                try processor.commitWithoutPatience(adding)
            } catch {
                resolver.forget(adding.readings)
                throw APIProblem.unavailable(
                    "nothing can be stored now: \(error); try again later",
                    zh: "现在无法保存：\(error)；请稍后再试"
                )
            }
        }
        // Answered when the rules have seen it.
        try await processor.perform { _ in }
        return report
    }

    /// What of the readings is to be stored beside what was stored of their moments.
    ///
    /// A value without a time of its own is of its receipt; what was stored of it then is the same, not a second one. What
    /// a person has put in the place of a reading meanwhile stays.
    private func besideStored(_ readings: [ResolvedReading]) async throws -> [ResolvedReading] {
        var kept: [ResolvedReading] = []
        for var reading in readings {
            let stored = try await self.stored(of: reading.series.labels, at: reading.sample.time)
            if stored?.mark.method == .manual { continue }
            if !reading.hasOwnTime { reading.hasOwnTime = stored.map { $0.value == reading.sample.value } ?? true }
            kept.append(reading)
        }
        return kept
    }
}
