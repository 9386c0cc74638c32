// poyang
// SPDX-License-Identifier: Apache-2.0

package import PromQL
import Telemetry

/// Runs a test script against our PromQL.
package struct PromQLScriptRunner {
    /// How the evaluations of one script went.
    package struct Report: Sendable {
        package struct Failure: Sendable, CustomStringConvertible {
            package let line: Int
            package let query: String
            package let expected: String
            package let actual: String

            package var description: String {
                "line \(self.line): \(self.query): expected \(self.expected), got \(self.actual)"
            }
        }

        package var passed = 0
        package var failures: [Failure] = []
        /// What was left out, by reason.
        package var skipped: [String: Int] = [:]

        package var skippedCount: Int { self.skipped.values.reduce(0, +) }
    }

    /// What came out otherwise than the script says.
    private struct Mismatch: Error {
        let expected: String
        let actual: String
    }

    private var reader = MemorySeriesReader()
    /// Series that have native histograms, and those whose samples say when counting began.
    private(set) var histogramSeries: Set<Labels> = []
    private(set) var startTimestampSeries: Set<Labels> = []
    private let options: EvaluationOptions
    private var report = Report()

    package init(options: EvaluationOptions = EvaluationOptions(strictLookback: 5 * .minute)) {
        self.options = options
    }

    package static func run(_ script: PromQLScript) -> Report {
        var runner = PromQLScriptRunner()
        for command in script.commands { runner.run(command) }
        return runner.report
    }

    private mutating func run(_ command: PromQLScript.Command) {
        switch command {
        case .clear:
            self.reader = MemorySeriesReader()
            self.histogramSeries = []
            self.startTimestampSeries = []
        case .load(let step, let series, let addsNativeHistograms):
            for line in series { self.load(line, step: step, addsNativeHistograms: addsNativeHistograms) }
        case .evaluate(let evaluation):
            do {
                try self.check(evaluation)
                self.report.passed += 1
            } catch {
                if let reason = self.reasonToSkip(evaluation) {
                    self.report.skipped[reason, default: 0] += 1
                } else {
                    let mismatch = error as? Mismatch
                    let failure = Report.Failure(
                        line: evaluation.line,
                        query: evaluation.query,
                        expected: mismatch?.expected ?? evaluation.expectation,
                        actual: mismatch?.actual ?? "error: \(error)"
                    )
                    self.report.failures.append(failure)
                }
            }
        }
    }

    /// A native histogram is loaded as the end of the series: nothing that we know is there.
    private mutating func load(
        _ line: PromQLScript.SeriesValues,
        step: Milliseconds,
        addsNativeHistograms: Bool
    ) {
        if line.hasHistogram { self.histogramSeries.insert(line.labels) }
        if line.hasStartTimestamps {
            self.startTimestampSeries.insert(line.labels)
            return
        }
        if addsNativeHistograms, line.labels.metric.hasSuffix("_bucket") {
            var labels = line.labels.removing("le")
            labels[Labels.metricName] = String(line.labels.metric.dropLast("_bucket".count))
            self.histogramSeries.insert(labels)
        }
        for (index, value) in line.values.enumerated() {
            let time = Timestamp(milliseconds: Int64(index) * step)
            switch value {
            case .none: break
            case .float(let value): self.reader.append(line.labels, at: time, value)
            case .histogram: self.reader.append(line.labels, at: time, Double(bitPattern: 0x7FF0_0000_0000_0002))
            }
        }
    }

    // MARK: Checking

    private func check(_ evaluation: PromQLScript.Evaluation) throws {
        let warnings: [String]
        do {
            warnings = try self.evaluate(evaluation)
        } catch let mismatch as Mismatch {
            throw mismatch
        } catch {
            guard evaluation.failure.isExpected else { throw error }
            let message = (error as? PromQLError)?.message ?? "\(error)"
            if let expected = evaluation.failure.message, !message.hasPrefix(expected) {
                throw Mismatch(expected: "error: \(expected)", actual: "error: \(message)")
            }
            return
        }
        if evaluation.failure.isExpected { throw Mismatch(expected: "an error", actual: "an answer") }
        let hasWarning = warnings.contains { $0.hasPrefix("PromQL warning: ") }
        let hasInfo = warnings.contains { $0.hasPrefix("PromQL info: ") }
        if let expected = evaluation.warning, expected != hasWarning {
            throw Mismatch(expected: expected ? "a warning" : "no warning", actual: "\(warnings)")
        }
        if let expected = evaluation.info, expected != hasInfo {
            throw Mismatch(expected: expected ? "an info" : "no info", actual: "\(warnings)")
        }
    }

    private func evaluate(_ evaluation: PromQLScript.Evaluation) throws -> [String] {
        let query = try Query(parsing: evaluation.query)
        guard query.description == (try Query(parsing: query.description)).description else {
            throw Mismatch(expected: "a canonical text that parses back", actual: "\(query)")
        }
        let evaluator = Evaluator(reader: self.reader, options: self.options)
        switch evaluation.times {
        case .instant(let time):
            let result = try evaluator.instant(query, at: time)
            try self.compare(result.value, with: evaluation)
            let asksForItself = ["start(", "end(", "range(", "step("].contains { evaluation.query.contains($0) }
            guard query.type == .vector || query.type == .scalar, !evaluation.isOrdered, !asksForItself else {
                return result.warnings
            }
            let range = try evaluator.range(query, from: time - .minute, through: time + .minute, step: .minute)
            try self.compare(range.series, at: time, with: evaluation, isScalar: query.type == .scalar)
            return result.warnings
        case .range(let from, let through, let step):
            let result = try evaluator.range(query, from: from, through: through, step: step)
            try self.compare(result.series, from: from, step: step, with: evaluation)
            return result.warnings
        }
    }

    private func compare(_ value: QueryValue, with expected: PromQLScript.Evaluation) throws {
        switch value {
        case .string(let text):
            guard text == expected.string else { throw Mismatch(expected: expected.expectation, actual: "\"\(text)\"") }
        case .scalar(let number):
            guard let scalar = expected.scalar, isClose(number, scalar) else {
                throw Mismatch(expected: expected.expectation, actual: "\(number)")
            }
        case .matrix(let series):
            guard let (from, step) = expected.matrix else {
                throw Mismatch(expected: expected.expectation, actual: "a range vector")
            }
            try self.compare(series, from: from, step: step, with: expected)
        case .vector(let elements):
            try self.compare(elements, with: expected)
            if expected.isOrdered, elements.map(\.labels) != expected.series.map(\.labels) {
                throw Mismatch(expected: "the order \(expected.expectation)", actual: Self.text(elements))
            }
        }
    }

    private func compare(_ elements: [VectorSample], with expected: PromQLScript.Evaluation) throws {
        let isEqual =
            elements.count == expected.series.count
            && expected.series.allSatisfy { line in
                guard case .float(let value)? = line.values.first else { return false }
                return elements.contains { $0.labels == line.labels && isClose($0.value, value) }
            }
        guard isEqual else { throw Mismatch(expected: expected.expectation, actual: Self.text(elements)) }
    }

    private static func text(_ elements: [VectorSample]) -> String {
        elements.isEmpty
            ? "nothing" : elements.map { "\($0.labels) \(NumberText.text($0.value))" }.joined(separator: ", ")
    }

    /// A range query around the time must answer the same at it.
    private func compare(
        _ series: [RangeSeries],
        at time: Timestamp,
        with expected: PromQLScript.Evaluation,
        isScalar: Bool
    ) throws {
        let elements = series.compactMap { series in
            series.times.firstIndex(of: time).map { VectorSample(labels: series.labels, value: series.values[$0]) }
        }
        do {
            if isScalar {
                guard let value = elements.first?.value, let scalar = expected.scalar, isClose(value, scalar) else {
                    throw Mismatch(expected: expected.expectation, actual: Self.text(elements))
                }
            } else {
                try self.compare(elements, with: expected)
            }
        } catch let mismatch as Mismatch {
            throw Mismatch(expected: mismatch.expected, actual: "\(mismatch.actual) as a range query")
        }
    }

    private func compare(
        _ series: [RangeSeries],
        from: Timestamp,
        step: Milliseconds,
        with expected: PromQLScript.Evaluation
    ) throws {
        var lines = expected.series
        if let scalar = expected.scalar {
            lines = [PromQLScript.SeriesValues(labels: .empty, values: [.float(scalar)])]
        }
        let isEqual =
            series.count == lines.count
            && lines.allSatisfy { line in
                var wanted: [Timestamp: Double] = [:]
                for (index, value) in line.values.enumerated() {
                    if case .float(let number) = value { wanted[from + Int64(index) * step] = number }
                }
                return series.contains { found in
                    found.labels == line.labels && found.times.count == wanted.count
                        && zip(found.times, found.values)
                            .allSatisfy { time, value in
                                wanted[time].map { isClose(value, $0) } ?? false
                            }
                }
            }
        let actual = series.map { found in
            let values = found.values.map(NumberText.text).joined(separator: " ")
            return "\(found.labels) \(values) at \(found.times.map(\.milliseconds))"
        }
        guard isEqual else {
            throw Mismatch(
                expected: expected.expectation,
                actual: actual.isEmpty ? "nothing" : actual.joined(separator: ", ")
            )
        }
    }
}

/// Equal within a millionth, as Prometheus's own runner takes it.
private func isClose(_ left: Double, _ right: Double) -> Bool {
    if left == right || (left.isNaN && right.isNaN) { return true }
    guard left.isFinite, right.isFinite else { return false }
    let difference = abs(left - right)
    let size = abs(left) + abs(right)
    if left == 0 || right == 0 || size < Double.leastNormalMagnitude {
        return difference < 1e-6 * Double.leastNormalMagnitude
    }
    return difference / min(size, Double.greatestFiniteMagnitude) < 1e-6
}
