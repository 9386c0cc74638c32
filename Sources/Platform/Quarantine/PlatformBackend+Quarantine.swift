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
        let earlier = try self.samples.quarantine(limit: .max, device: payload.device)
            .filter { $0.id < entry.id && $0.payload.topic == payload.topic }
        let message = RefusedMessage(payload, after: earlier.reversed().map(\.payload), resolver: self.resolver)
        if let problem = self.elsewhere(message) {
            self.resolver.forget(message.readings)
            throw problem
        }
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
        batch.settled = message.settled
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

    /// Why values are not to be taken in where their device is now: it stood at another site when it measured them.
    private func elsewhere(_ message: RefusedMessage) -> APIProblem? {
        for part in message.parts {
            guard let device = self.resolver.catalog.devices[part.device], let move = device.move,
                let first = part.values.lazy.map(\.sample.time).min(), first < move.at
            else { continue }
            let (since, time) = (move.at.rfc3339(), first.rfc3339())
            return .conflict(
                "device '\(device.id)' stands at '\(device.site)' since \(since) and stood at '\(move.from)' when it "
                    + "measured this (\(time)); enter the values there with `poyang readings add \(move.from) METRIC VALUE "
                    + "--at \(time)` or `poyang import`. If it never stood there, retire it, register it again and retry",
                zh: "设备“\(device.id)”自 \(since) 起在“\(device.site)”，测得这些数据时（\(time)）在“\(move.from)”；请用 "
                    + "poyang readings add \(move.from) METRIC VALUE --at \(time) 或 poyang import 录入该站。"
                    + "若它从未在该站，请先停用，重新登记后再重试"
            )
        }
        return nil
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
