// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// One line of VictoriaMetrics' JSON export: `{"metric":{"__name__":"m",…},"values":[1,2],"timestamps":[ms,ms]}`.
struct VictoriaMetricsLine {
    let labels: Labels
    /// In the order of the line.
    let samples: [Sample]

    private struct Line: Decodable {
        let metric: Labels
        let values: [Double]
        let timestamps: [Int64]
    }

    /// - Throws: ``PlatformError`` `input`, which says what the line lacks.
    init(_ line: some Collection<UInt8>) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity",
            negativeInfinity: "-Infinity",
            nan: "NaN"
        )
        let decoded: Line
        do {
            decoded = try decoder.decode(Line.self, from: Data(line))
        } catch {
            throw PlatformError(
                .input,
                #"not of the form {"metric":{…},"values":[…],"timestamps":[…]}"#,
                cause: error
            )
        }
        guard !decoded.metric.metric.isEmpty else {
            throw PlatformError(.input, "the label __name__ is missing: it holds the metric's name")
        }
        guard decoded.metric.metric.wholeMatch(of: #/[a-zA-Z_:][a-zA-Z0-9_:]*/#) != nil else {
            throw PlatformError(
                .input,
                "'\(decoded.metric.metric)' is no metric name: letters, digits, _ and :, no digit first"
            )
        }
        guard decoded.values.count == decoded.timestamps.count else {
            throw PlatformError(
                .input,
                "\(decoded.values.count) values but \(decoded.timestamps.count) timestamps; they go in pairs"
            )
        }
        self.labels = decoded.metric
        self.samples = zip(decoded.timestamps, decoded.values)
            .map {
                Sample(time: Timestamp(milliseconds: $0), value: $1)
            }
    }
}
