// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// A test script in the language of Prometheus's promqltest.
///
/// Source: prometheus/prometheus, promql/promqltest/README.md.
package struct PromQLScript: Sendable {
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package let line: Int
        package let message: String
        package var description: String { "line \(self.line): \(self.message)" }
    }

    enum Command: Sendable {
        case clear
        case load(step: Milliseconds, series: [SeriesValues], addsNativeHistograms: Bool)
        case evaluate(Evaluation)
    }

    /// One line of samples: nil is no sample.
    struct SeriesValues: Sendable {
        enum Value: Sendable {
            case none
            case float(Double)
            case histogram
        }

        var labels: Labels
        var values: [Value]
        /// Whether the line holds no samples, but when the counting behind those of the next line began (`@st`).
        var hasStartTimestamps = false

        var hasHistogram: Bool {
            self.values.contains { if case .histogram = $0 { true } else { false } }
        }
    }

    struct Evaluation: Sendable {
        enum Times: Sendable {
            case instant(Timestamp)
            case range(from: Timestamp, through: Timestamp, step: Milliseconds)
        }

        var line: Int
        var query: String
        var times: Times
        var series: [SeriesValues] = []
        var scalar: Double?
        var string: String?
        /// The times of an expected range vector.
        var matrix: (from: Timestamp, step: Milliseconds)?
        var isOrdered = false
        /// The start of the message, where one is named.
        var failure: (isExpected: Bool, message: String?) = (false, nil)
        var warning: Bool?
        var info: Bool?

        var hasHistogram: Bool { self.series.contains(where: \.hasHistogram) }

        /// What should come out, for people.
        var expectation: String {
            if let message = self.failure.message { return "error: \(message)" }
            if self.failure.isExpected { return "an error" }
            if let scalar = self.scalar { return NumberText.text(scalar) }
            if let string = self.string { return "\"\(string)\"" }
            return self.series.isEmpty ? "nothing" : self.series.map(\.description).joined(separator: ", ")
        }
    }

    let commands: [Command]

    package init(parsing text: String) throws(Failure) {
        var parser = PromQLScriptParser(text)
        self.commands = try parser.commands()
    }
}

extension PromQLScript.SeriesValues: CustomStringConvertible {
    var description: String {
        let values = self.values.map { value in
            switch value {
            case .none: "_"
            case .float(let number): NumberText.text(number)
            case .histogram: "{{…}}"
            }
        }
        return "\(self.labels) \(values.joined(separator: " "))"
    }
}
