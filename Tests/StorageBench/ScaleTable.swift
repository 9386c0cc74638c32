// poyang
// SPDX-License-Identifier: Apache-2.0

import BenchmarkData
import Dispatch
import Foundation
import SeriesStorage
import Synchronization
import Telemetry

/// One line of the table of costs: the sensors' data in some size, imported, opened, asked.
enum ScaleTable {
    private static let seriesPerUnit = 64

    static func run(_ path: String, series: Int, days: Int) throws {
        let start = Timestamp(milliseconds: 1_700_000_000_000)
        let data = SensorData(series: series, days: days, start: start)
        let store = try SeriesStore(path: path, processed: .start)
        let units = (series + self.seriesPerUnit - 1) / self.seriesPerUnit
        let samples = Double(series * data.samplesPerSeries)
        var seconds = 0.0
        // Making the data is not what is measured; a few units at a time, so that memory stays small.
        for first in stride(from: 0, to: units, by: 16) {
            let group = first..<min(first + 16, units)
            let made = Mutex<[Int: [SeriesSamples]]>([:])
            DispatchQueue.concurrentPerform(iterations: group.count) { offset in
                let unit = self.unit(group.lowerBound + offset, of: data)
                made.withLock { $0[group.lowerBound + offset] = unit }
            }
            let input = made.withLock { $0 }
            seconds += try timed {
                let prepared = Mutex<[Int: PreparedImport]>([:])
                DispatchQueue.concurrentPerform(iterations: group.count) { offset in
                    let number = group.lowerBound + offset
                    let done = store.prepareImport(input[number] ?? [])
                    prepared.withLock { $0[number] = done }
                }
                let all = prepared.withLock { $0 }
                for number in group { if let unit = all[number] { try store.commitImport(unit, at: start) } }
            }
            .1
        }
        let importing = seconds
        let (_, finishing) = try timed {
            for entry in try store.entries(after: .start, limit: .max) { try store.apply(entry) }
            try store.seal(through: store.appliedPosition, force: true)
            try store.compact()
        }
        let size = Double(store.statistics().fileBytes + store.statistics().walBytes)
        let processed = store.appliedPosition
        try store.close()
        let (again, opening) = try timed { try SeriesStore(path: path, processed: processed) }
        let (_, one) = try timed {
            try again.reader.select(self.request("station", data.labels(series / 2)["station"]))
        }
        // County by county, so that the answer is never in memory as a whole.
        let counties = Set((0..<series).map { data.labels($0)["county"] })
        let (found, all) = try timed {
            try counties.reduce(0) { sum, county in
                try sum
                    + again.reader.select(self.request("county", county)).reduce(0) { $0 + $1.times.count }
            }
        }
        let (_, summing) = try timed {
            var request = self.request("county", nil)
            request.summarizes = true
            let whole = TimeWindow(after: .distantPast, through: .distantFuture)
            let selection = try again.reader.selection(request)
            _ = try AllCores()
                .map(selection.count) { range in
                    for index in range { _ = try selection.summaries(of: index, in: [whole]) }
                }
        }
        precondition(Double(found) == samples)
        try report(
            "\(series) series, \(days) days",
            importing + finishing,
            [
                "samples": samples, "bytes/sample": size / samples,
                "import samples/s": samples / (importing + finishing),
                "open ms": opening * 1e3, "one series ms": one * 1e3, "all series ms": all * 1e3,
                "all series samples/s": samples / all, "all summaries ms": summing * 1e3,
                "most resident MB": try residentBytes().most / 1e6,
            ]
        )
        try again.close()
    }

    private static func unit(_ unit: Int, of data: SensorData) -> [SeriesSamples] {
        (unit * self.seriesPerUnit..<min((unit + 1) * self.seriesPerUnit, data.count))
            .map { index in
                let (times, values) = data.samples(index)
                return SeriesSamples(
                    labels: data.labels(index),
                    times: times,
                    values: values,
                    marks: Array(repeating: SampleMark.measured.rawValue, count: times.count)
                )
            }
    }

    private static func request(_ name: String, _ value: String?) -> SelectRequest {
        SelectRequest(
            matchers: value.map { [LabelMatcher(name, equals: $0)] } ?? [],
            extent: .window(after: .distantPast, through: .distantFuture)
        )
    }
}
