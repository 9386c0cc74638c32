// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// Prometheus's answer to a query, `{"status":"success","data":…}` (Prometheus HTTP API, "Format overview").
struct PrometheusAnswer<Payload: Encodable>: Encodable {
    let status = "success"
    let data: Payload
    var warnings: [String]?

    init(_ data: Payload, warnings: [String] = []) {
        self.data = data
        self.warnings = warnings.isEmpty ? nil : warnings
    }
}

/// Prometheus's error: 400 `bad_data`, 422 `execution`, 503 `timeout`.
struct PrometheusFailure: Encodable {
    let status = "error"
    let errorType: String
    let error: String
}

/// A query's result in Prometheus's shape: times are seconds, values strings (`"NaN"`, `"+Inf"`, `"-Inf"`).
enum QueryData: Encodable {
    case instant(QueryValue, at: Timestamp)
    case range([RangeSeries])

    private enum Key: String, CodingKey { case resultType, result }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .instant(.scalar(let value), let time):
            try container.encode("scalar", forKey: .resultType)
            try container.encode(Point(time: time, text: PrometheusNumber.text(value)), forKey: .result)
        case .instant(.string(let text), let time):
            try container.encode("string", forKey: .resultType)
            try container.encode(Point(time: time, text: text), forKey: .result)
        case .instant(.vector(let samples), let time):
            try container.encode("vector", forKey: .resultType)
            try container.encode(
                samples.map {
                    Element(metric: $0.labels, value: Point(time: time, text: PrometheusNumber.text($0.value)))
                }, forKey: .result)
        case .instant(.matrix(let series), _), .range(let series):
            try container.encode("matrix", forKey: .resultType)
            try container.encode(series.map(Row.init), forKey: .result)
        }
    }

    private struct Element: Encodable {
        let metric: Labels
        let value: Point
    }

    private struct Row: Encodable {
        let metric: Labels
        let values: [Point]

        init(_ series: RangeSeries) {
            self.metric = series.labels
            self.values = zip(series.times, series.values).map { Point(time: $0, text: PrometheusNumber.text($1)) }
        }
    }

    private struct Point: Encodable {
        let time: Timestamp
        let text: String

        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(Double(self.time.milliseconds) / 1000)
            try container.encode(self.text)
        }
    }
}

/// Numbers as Prometheus prints them.
enum PrometheusNumber {
    /// The shortest decimal that reads back as the same value; `NaN`, `+Inf`, `-Inf`.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// Times of the query API: Unix seconds with a fraction, or RFC 3339.
    static func time(_ text: some StringProtocol) -> Timestamp? {
        if let seconds = Double(text), abs(seconds) < 9e12 {
            return Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        }
        return Timestamp(rfc3339: text)
    }

    /// Spans of the query API: seconds with a fraction, or a Prometheus duration; in ms.
    static func span(_ text: some StringProtocol) -> Milliseconds? {
        if let seconds = Double(text), abs(seconds) < 9e12 { return Milliseconds((seconds * 1000).rounded()) }
        return PrometheusDuration.parse(text)
    }
}
