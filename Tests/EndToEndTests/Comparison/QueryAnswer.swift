// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a server of Prometheus's API said, so that two can be compared.
struct QueryAnswer {
    struct Point {
        let milliseconds: Int64
        let value: Double
        /// As it was written, for strings.
        let text: String
    }

    struct Series {
        let labels: [String: String]
        let points: [Point]
    }

    /// Nil for a success.
    let errorType: String?
    let error: String
    let resultType: String
    let series: [Series]

    init(_ data: Data) throws {
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        self.errorType = object["status"] as? String == "success" ? nil : object["errorType"] as? String ?? "no type"
        self.error = object["error"] as? String ?? ""
        let payload = object["data"] as? [String: Any] ?? [:]
        self.resultType = payload["resultType"] as? String ?? ""
        guard let rows = payload["result"] as? [[String: Any]] else {
            let point = Self.point(payload["result"])
            self.series = point.map { [Series(labels: [:], points: [$0])] } ?? []
            return
        }
        self.series = rows.map { row in
            let points = (row["values"] as? [Any] ?? [row["value"] as Any]).compactMap(Self.point)
            return Series(labels: row["metric"] as? [String: String] ?? ["unreadable": "\(row)"], points: points)
        }
    }

    private static func point(_ value: Any?) -> Point? {
        guard let pair = value as? [Any], pair.count == 2, let seconds = (pair[0] as? NSNumber)?.doubleValue,
            let text = pair[1] as? String
        else { return nil }
        return Point(milliseconds: Int64((seconds * 1000).rounded()), value: Double(text) ?? .nan, text: text)
    }

    // MARK: Comparison

    /// How this answer differs from what was expected; nil where it does not.
    func difference(from expected: QueryAnswer, _ scrutiny: MadeQuery.Scrutiny) -> String? {
        guard self.errorType == expected.errorType else {
            return "\(self.verdict), expected \(expected.verdict)"
        }
        if self.errorType != nil { return nil }
        guard self.resultType == expected.resultType else {
            return "type \(self.resultType), expected \(expected.resultType)"
        }
        if scrutiny == .values { return self.differenceOfValues(from: expected) }
        var found: [[String: String]: Series] = [:]
        for series in self.series where found.updateValue(series, forKey: series.labels) != nil {
            return "\(series.labels) twice"
        }
        for series in expected.series {
            guard let own = found.removeValue(forKey: series.labels) else {
                return "\(series.labels) is missing; \(self.series.count) series, expected \(expected.series.count)"
            }
            if let difference = own.difference(from: series) { return "\(series.labels): \(difference)" }
        }
        if let more = found.keys.first { return "\(more) should not be there" }
        guard scrutiny == .order else { return nil }
        let orders = zip(self.series, expected.series)
        let agree = orders.allSatisfy { own, other in zip(own.points, other.points).allSatisfy { $0.agrees(with: $1) } }
        return agree ? nil : "another order"
    }

    private var verdict: String {
        self.errorType.map { "\($0) (\(self.error))" } ?? "\(self.series.count) series"
    }

    /// Compares the values at each time, whosever they are.
    private func differenceOfValues(from expected: QueryAnswer) -> String? {
        let (own, other) = (self.valuesByTime, expected.valuesByTime)
        for time in Set(own.keys).union(other.keys).sorted() {
            let (found, wanted) = (own[time] ?? [], other[time] ?? [])
            guard found.count == wanted.count else {
                return "\(found.count) elements at \(time), expected \(wanted.count)"
            }
            for (value, right) in zip(found, wanted) where !value.agrees(with: right) {
                return "\(value.text) at \(time), expected \(right.text)"
            }
        }
        return nil
    }

    private var valuesByTime: [Int64: [Point]] {
        Dictionary(grouping: self.series.flatMap(\.points), by: \.milliseconds)
            .mapValues { points in
                points.sorted { $1.value.isNaN ? !$0.value.isNaN : $0.value < $1.value }
            }
    }
}

extension QueryAnswer.Series {
    func difference(from expected: QueryAnswer.Series) -> String? {
        let (times, wanted) = (self.points.map(\.milliseconds), expected.points.map(\.milliseconds))
        guard times == wanted else {
            let missing = Set(wanted).subtracting(times).min().map { "none at \($0)" }
            let more = Set(times).subtracting(wanted).min().map { "one too many at \($0)" }
            return "\(times.count) points, expected \(wanted.count): \(missing ?? more ?? "another order")"
        }
        for (own, right) in zip(self.points, expected.points) where !own.agrees(with: right) {
            return "\(own.text) at \(own.milliseconds), expected \(right.text)"
        }
        return nil
    }
}

extension QueryAnswer.Point {
    /// Equal, or as close as the last digits of a computation are.
    func agrees(with other: QueryAnswer.Point) -> Bool {
        if self.text == other.text { return true }
        if self.value.isNaN || other.value.isNaN { return self.value.isNaN && other.value.isNaN }
        if self.value == other.value { return true }
        let size = max(self.value.magnitude, other.value.magnitude)
        return (self.value - other.value).magnitude <= max(1e-9 * size, 1e-11)
    }
}
