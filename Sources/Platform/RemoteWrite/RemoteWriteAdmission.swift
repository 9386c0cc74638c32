// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import PayloadCodecs
import Telemetry

/// What of a pushed request is stored, and why the rest is not.
///
/// Pure: what is in force, the receive time and whose token it was are given.
struct RemoteWriteAdmission {
    let catalog: Catalog
    let policy: IngestPolicy
    /// Only series of this org are taken; nil takes all.
    let org: String?
    let receivedAt: Timestamp

    /// Readings that are committed together: what waits for the rules is counted in batches, so they are bounded.
    static let batchReadings = 10_000

    /// Every sample of a request, in one of the two.
    struct Verdict {
        var batches: [ReadingBatch] = []
        /// A short list, as in ``DecodedMessage``.
        var refusals: [Refusal] = []

        fileprivate mutating func add(_ reading: ResolvedReading, receivedAt: Timestamp) {
            if (self.batches.last?.readings.count ?? batchReadings) >= batchReadings {
                self.batches.append(ReadingBatch(receivedAt: receivedAt))
            }
            self.batches[self.batches.count - 1].readings.append(reading)
        }
    }

    func judge(_ request: RemoteWriteRequest) -> Verdict {
        var refused = DecodedMessage()
        for refusal in request.refusals { refused.refuse(refusal) }
        var verdict = Verdict()
        for series in request.series {
            if let org = self.org, let objection = self.catalog.objection(to: series.labels, writtenFor: org) {
                refused.refuse(self.refusal(.wrongAddress, objection, series, values: series.samples.count))
                continue
            }
            self.resolve(series, into: &verdict, &refused)
        }
        verdict.refusals = refused.refusals
        return verdict
    }

    private func resolve(_ series: RemoteWriteSeries, into verdict: inout Verdict, _ refused: inout DecodedMessage) {
        // The store knows the series by its labels; nobody need hold the key of what may never come again.
        let key = SeriesKey(labels: series.labels)
        let latest =
            self.policy.isOwnClockSuspect
            ? CatalogResolver.latestTime : min(self.receivedAt + self.policy.skew, CatalogResolver.latestTime)
        var early: [Timestamp] = []
        var late: [Timestamp] = []
        for sample in series.samples {
            if sample.time < CatalogResolver.earliestTime {
                early.append(sample.time)
            } else if sample.time > latest {
                late.append(sample.time)
            } else {
                let reading = ResolvedReading(series: key, sample: sample, hasOwnTime: true)
                verdict.add(reading, receivedAt: self.receivedAt)
            }
        }
        if let time = early.min() {
            let detail = "the time \(time) is before 2000; a timestamp counts milliseconds since 1970"
            refused.refuse(self.refusal(.timeInvalid, detail, series, values: early.count))
        }
        if let time = late.max() {
            let skew = PrometheusDuration.text(self.policy.skew)
            let detail =
                "the time \(time) is more than \(skew) after its receipt at \(self.receivedAt); set the sender's clock"
            refused.refuse(self.refusal(.timeFuture, detail, series, values: late.count))
        }
    }

    private func refusal(
        _ reason: QuarantineReason,
        _ detail: String,
        _ series: RemoteWriteSeries,
        values: Int
    ) -> Refusal {
        Refusal(reason: reason, detail: detail, key: String("\(series.labels)".prefix(200)), values: values)
    }
}
