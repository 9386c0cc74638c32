// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Text of `/metrics` in Prometheus's exposition format 0.0.4.
struct MetricsText {
    private(set) var text = ""

    /// Adds a metric with all its samples.
    mutating func add(
        _ name: String, _ kind: String, _ help: String, _ samples: [(labels: KeyValuePairs<String, String>, value: Int)]
    ) {
        self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
            self.text += labels.isEmpty ? "\(name) \(sample.value)\n" : "\(name){\(labels)} \(sample.value)\n"
        }
    }

    mutating func counter(_ name: String, _ help: String, _ value: Int) {
        self.add(name, "counter", help, [([:], value)])
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        self.add(name, "gauge", help, [([:], value)])
    }
}
