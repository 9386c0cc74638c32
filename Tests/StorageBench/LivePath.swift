// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SeriesStorage
import Telemetry

/// The way of a reading through the store: commits (flushed), applying, opening, sealing, merging, reading.
enum LivePath {
    static func run(_ path: String, batches: Int, size: Int) throws {
        let keys = (0..<20_000)
            .map { index in
                SeriesKey(
                    labels: Labels(
                        metric: ["water_level_meters", "rainfall_millimeters", "battery_volts", "ph"][index % 4],
                        ["site": "site-\(index / 10)", "depth": "\(index % 10)"]
                    )
                )
            }
        let start: Int64 = 1_700_000_000_000
        var work: [ReadingBatch] = []
        for number in 0..<batches {
            var batch = ReadingBatch(receivedAt: Timestamp(milliseconds: start + Int64(number) * 7))
            for index in 0..<size {
                let serial = number * size + index
                let time = Timestamp(milliseconds: start + Int64(serial / keys.count) * 300_000)
                let value = Double(1000 + serial % 777) / 100
                batch.readings.append(
                    ResolvedReading(
                        series: keys[serial % keys.count],
                        sample: Sample(time: time, value: value),
                        hasOwnTime: true
                    )
                )
                batch.deliveries.append(Delivery(packetID: UInt16(serial % 65_535 + 1), hash: UInt64(serial)))
            }
            batch.messages = size
            work.append(batch)
        }

        let store = try SeriesStore(path: path, processed: .start)
        // The whole way: each batch committed (flushed) and applied, sealed when the journal is long enough, merged.
        let processorBefore = processorSeconds()
        let (_, living) = try timed {
            for batch in work[..<(batches / 2)] {
                try store.apply(store.commit(batch))
                if try store.seal(through: store.appliedPosition) { while try store.compactOnce() {} }
            }
        }
        let processor = processorSeconds() - processorBefore
        let half = Double(batches / 2 * size)
        try report(
            "live path, batches of \(size)",
            living,
            [
                "samples/s": half / living, "samples per processor second": half / processor,
                "processor microseconds per batch": processor * 1e6 / Double(batches / 2),
            ]
        )
        var entries: [JournalEntry] = []
        let committedBefore = processorSeconds()
        let (_, committing) = try timed {
            for batch in work[(batches / 2)...] { entries.append(try store.commit(batch)) }
        }
        try report(
            "commit",
            committing,
            [
                "commits/s": Double(entries.count) / committing, "samples/s": half / committing,
                "samples per processor second": half / (processorSeconds() - committedBefore),
            ]
        )
        let (_, applying) = try timed { for entry in entries { _ = try store.apply(entry) } }
        try report("apply", applying, ["samples/s": half / applying])
        let (_, reopening) = try timed {
            try store.close()
            try SeriesStore(path: path, processed: store.appliedPosition).close()
        }
        try report("open with the whole journal", reopening, ["samples/s": half / reopening])
        let again = try SeriesStore(path: path, processed: store.appliedPosition)
        let (_, sealing) = try timed { try again.seal(through: again.appliedPosition, force: true) }
        let size1 = again.statistics()
        try report(
            "seal",
            sealing,
            ["samples/s": half / sealing, "bytes": Double(size1.fileBytes), "wal": Double(size1.walBytes)]
        )

        let request = SelectRequest(
            matchers: [LabelMatcher("__name__", equals: "ph"), LabelMatcher("site", equals: "site-77")],
            extent: .window(after: .distantPast, through: .distantFuture)
        )
        let (_, selecting) = try timed { for _ in 0..<100_000 { _ = try again.reader.select(request) } }
        try report("select, a metric at a site (3 of 20,000 series)", selecting, ["ns": selecting / 100_000 * 1e9])

        var history: [(labels: Labels, samples: [Sample])] = []
        for index in 0..<200 {
            var samples: [Sample] = []
            for step in 0..<5760 {
                let time = start - Int64(5760 - step) * 300_000
                samples.append(
                    Sample(time: Timestamp(milliseconds: time), value: Double(1200 + (step * 31 + index) % 97) / 100)
                )
            }
            history.append((Labels(metric: "history_meters", ["site": "site-\(index)"]), samples))
        }
        let before = again.statistics()
        let (_, importing) = try timed { try again.importSeries(history, at: Timestamp(milliseconds: start)) }
        try again.checkpoint()
        let after = again.statistics()
        try report(
            "import",
            importing,
            ["samples/s": 200 * 5760 / importing, "file bytes": Double(after.fileBytes - before.fileBytes)]
        )
        let all = SelectRequest(
            matchers: [LabelMatcher("__name__", equals: "history_meters")],
            extent: .window(after: .distantPast, through: .distantFuture)
        )
        let (found, scanning) = try timed { try again.reader.select(all).reduce(0) { $0 + $1.times.count } }
        try report("read what was imported", scanning, ["samples/s": Double(found) / scanning])
    }
}
