// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SeriesStorage
import Telemetry

/// One sample each of very many series: how much memory a registered series costs.
enum ManySeries {
    static func run(_ path: String, count: Int) throws {
        let start = Timestamp(milliseconds: 1_700_000_000_000)
        let metrics = ["water_level_meters", "rainfall_millimeters", "battery_volts", "soil_moisture_percent", "ph"]
        let before = try residentBytes().now
        let store = try SeriesStore(path: path, processed: .start)
        let (_, seconds) = try timed {
            for first in stride(from: 0, to: count, by: 100_000) {
                let part = (first..<min(first + 100_000, count))
                    .map { index in
                        SeriesSamples(
                            labels: Labels(
                                metric: metrics[index % metrics.count],
                                ["site": "station-\(index / metrics.count)", "county": "county-\(index % 97)"]
                            ),
                            times: [start + Int64(index)],
                            values: [Double(index % 1000) / 100],
                            marks: [SampleMark.measured.rawValue]
                        )
                    }
                let entry = try store.commitImport(store.prepareImport(part), at: start) { _ in }
                precondition(entry.stored == part.count)
            }
            for entry in try store.entries(after: .start, limit: .max) { try store.apply(entry) }
            try store.seal(through: store.appliedPosition, force: true)
            try store.compact()
        }
        try report(
            "\(count) series, one sample each: import",
            seconds,
            [
                "series/s": Double(count) / seconds, "resident MB": (try residentBytes().now - before) / 1e6,
                "file MB": Double(store.statistics().fileBytes) / 1e6,
            ]
        )
        try store.close()
    }

    /// In a process of its own, so that the memory is that of opening alone.
    static func open(_ path: String) throws {
        let before = try residentBytes().now
        let (store, seconds) = try timed {
            // Everything is sealed, so the rules have processed whatever there is.
            try SeriesStore(path: path, processed: JournalPosition(rawValue: 1 << 40))
        }
        let statistics = store.statistics()
        let memory = try residentBytes()
        try report(
            "open \(statistics.series) series, \(statistics.samples) samples",
            seconds,
            ["resident MB": (memory.now - before) / 1e6, "most MB": memory.most / 1e6]
        )
        let one = SelectRequest(
            matchers: [LabelMatcher("site", equals: "station-77")],
            extent: .window(after: .distantPast, through: .distantFuture)
        )
        let (_, selecting) = try timed { try store.reader.select(one) }
        try report("first select of one site", selecting, [:])
        try store.close()
    }
}
