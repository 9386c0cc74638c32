// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

extension MemorySeriesReader {
    /// What a query says at the time 0.
    func answer(_ text: String, confinesFaults: Bool) throws -> InstantResult {
        var options = EvaluationOptions()
        options.confinesFaults = confinesFaults
        return try Evaluator(reader: self, options: options)
            .instant(try Query(parsing: text), at: Timestamp(milliseconds: 0))
    }
}

extension InstantResult {
    /// The elements of a vector with their values, sorted.
    var lines: [String] {
        guard case .vector(let samples) = self.value else { return [] }
        return samples.map { "\($0.labels) \(NumberText.text($0.value))" }.sorted()
    }
}

extension PromQLScriptRunner {
    /// How one evaluation over some series fails, in the language of Prometheus's scripts; `data` is its `load`.
    static func failures(of evaluation: String, over data: String) throws -> [Report.Failure] {
        let report = self.run(try PromQLScript(parsing: "\(data)\n\neval \(evaluation)\n"))
        #expect(report.passed + report.failures.count == 1, "skipped: \(report.skipped)")
        return report.failures
    }
}
