// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Turns CSV files with a map into VictoriaMetrics JSON lines, without holding a whole file.
enum ImportSource {
    /// Rows with a column per series.
    static func copyMappedCSV(_ path: String, map: RecordingMap, to upload: inout ImportUpload) async throws {
        var metrics: [(json: String, factor: Double)] = []
        for column in map.columns {
            guard case .series(let name, let labels, let factor) = column.target else {
                throw CommandFailure(
                    "the map's column '\(column.name)' has device and key, for replay; give it a metric"
                )
            }
            metrics.append((MetricMember.json(metric: name, labels: labels.sorted { $0.key < $1.key }), factor))
        }
        var problems: [RowProblem] = []
        let reader = try RecordingReader(path, map: map) { problems.append($0) }
        var batch = SampleBatch()
        while let row = try reader.next() {
            for reading in row.values {
                let (json, factor) = metrics[reading.column]
                batch.add(metric: json, time: row.time, value: reading.value * factor, origin: row.line)
            }
            if batch.isFull { try await batch.flush(to: &upload, fraction: nil) }
        }
        try await batch.flush(to: &upload, fraction: 1)
        for problem in problems { upload.refuse(problem) }
    }
}

/// Samples that wait to be sent, by series.
private struct SampleBatch {
    private struct Series {
        let origin: Int
        var values = ""
        var timestamps = ""
    }

    private var series: [String: Series] = [:]
    private var order: [String] = []
    private var count = 0

    var isFull: Bool { self.count >= 50_000 }

    mutating func add(metric: String, time: Timestamp, value: Double, origin: Int) {
        self.count += 1
        if self.series[metric] == nil { self.order.append(metric) }
        let separator = self.series[metric] == nil ? "" : ","
        self.series[metric, default: Series(origin: origin)].values += "\(separator)\(value)"
        self.series[metric]?.timestamps += "\(separator)\(time.milliseconds)"
    }

    mutating func flush(to upload: inout ImportUpload, fraction: Double?) async throws {
        for metric in self.order {
            guard let series = self.series[metric] else { continue }
            let line = "{\"metric\":\(metric),\"values\":[\(series.values)],\"timestamps\":[\(series.timestamps)]}"
            try await upload.add(line.utf8, origin: series.origin, fraction: fraction)
        }
        self = SampleBatch()
    }
}
