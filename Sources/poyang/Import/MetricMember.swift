// poyang
// SPDX-License-Identifier: Apache-2.0

/// The `metric` member of a JSON line.
enum MetricMember {
    static func json(metric: String, labels: [(key: String, value: String)]) -> String {
        let name = [(key: "__name__", value: JSONValue.string(metric))]
        return JSONValue.objectText(name + labels.map { (key: $0.key, value: JSONValue.string($0.value)) })
    }
}
