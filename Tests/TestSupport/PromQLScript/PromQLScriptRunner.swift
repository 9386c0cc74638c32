// poyang
// SPDX-License-Identifier: Apache-2.0

package import PromQL
import Telemetry

/// Runs a test script against our PromQL.
package struct PromQLScriptRunner {
    /// How the evaluations of one script went.
    package struct Report: Sendable {
        package var passed = 0
        /// What failed, each with its line.
        package var failures: [String] = []
        /// What was left out, by reason.
        package var skipped: [String: Int] = [:]

        package var skippedCount: Int { self.skipped.values.reduce(0, +) }
    }

    private struct Mismatch: Error {
        let message: String
    }

    private var reader = MemorySeriesReader()
    private var histogramSeries: Set<Labels> = []
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
        case .load(let step, let series, let addsNativeHistograms):
            for line in series { self.load(line, step: step, addsNativeHistograms: addsNativeHistograms) }
        case .evaluate(let evaluation):
            do {
                try self.check(evaluation)
                self.report.passed += 1
            } catch {
                let message = (error as? Mismatch)?.message ?? "\(error)"
                if let reason = self.reasonToSkip(evaluation) {
                    self.report.skipped[reason, default: 0] += 1
                } else {
                    self.report.failures.append("line \(evaluation.line): \(evaluation.query): \(message)")
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

    // MARK: Skipping

    /// Why an evaluation that failed does not count: what conformance/README.md allows to leave out.
    private func reasonToSkip(_ evaluation: PromQLScript.Evaluation) -> String? {
        if let name = Self.experimental.first(where: { evaluation.query.containsWord($0) }) {
            return "experimental: \(name)"
        }
        if let name = Self.histogramFunctions.first(where: { evaluation.query.containsWord($0) }) {
            return "native histograms: \(name)"
        }
        if evaluation.hasHistogram { return "native histograms" }
        guard let query = try? Query(parsing: evaluation.query) else { return nil }
        let readsHistogram = query.selectors.contains { selector in
            self.histogramSeries.contains { labels in selector.matchers.allSatisfy { $0.matches(labels) } }
        }
        return readsHistogram ? "native histograms" : nil
    }

    private static let experimental = [
        "info", "limitk", "limit_ratio", "sort_by_label", "sort_by_label_desc", "mad_over_time",
        "ts_of_min_over_time", "ts_of_max_over_time", "ts_of_first_over_time", "ts_of_last_over_time",
        "double_exponential_smoothing", "histogram_quantiles", "start", "end", "step", "range", "start_timestamp",
        "max_of", "min_of", "anchored", "smoothed", "fill", "fill_left", "fill_right",
    ]

    private static let histogramFunctions = [
        "histogram_avg", "histogram_count", "histogram_sum", "histogram_fraction", "histogram_stddev",
        "histogram_stdvar",
    ]

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
                throw Mismatch(message: "fails with \(message), expected \(expected)")
            }
            return
        }
        if evaluation.failure.isExpected { throw Mismatch(message: "should fail") }
        let hasWarning = warnings.contains { $0.hasPrefix("PromQL warning: ") }
        let hasInfo = warnings.contains { $0.hasPrefix("PromQL info: ") }
        if let expected = evaluation.warning, expected != hasWarning {
            throw Mismatch(message: "warnings \(warnings), expected \(expected ? "some" : "none")")
        }
        if let expected = evaluation.info, expected != hasInfo {
            throw Mismatch(message: "infos \(warnings), expected \(expected ? "some" : "none")")
        }
    }

    private func evaluate(_ evaluation: PromQLScript.Evaluation) throws -> [String] {
        let query = try Query(parsing: evaluation.query)
        guard query.description == (try Query(parsing: query.description)).description else {
            throw Mismatch(message: "canonical text does not parse back: \(query)")
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
            guard text == expected.string else { throw Mismatch(message: "got string \(text)") }
        case .scalar(let number):
            guard let scalar = expected.scalar, isClose(number, scalar) else {
                throw Mismatch(message: "got scalar \(number), expected \(expected.scalar.map { "\($0)" } ?? "none")")
            }
        case .matrix(let series):
            guard let (from, step) = expected.matrix else { throw Mismatch(message: "got a range vector") }
            try self.compare(series, from: from, step: step, with: expected)
        case .vector(let elements):
            try self.compare(elements, with: expected.series)
            if expected.isOrdered, elements.map(\.labels) != expected.series.map(\.labels) {
                throw Mismatch(message: "wrong order: \(elements.map(\.labels))")
            }
        }
    }

    private func compare(_ elements: [VectorSample], with expected: [PromQLScript.SeriesValues]) throws {
        for line in expected {
            guard case .float(let value)? = line.values.first else { throw Mismatch(message: "histogram expected") }
            guard let element = elements.first(where: { $0.labels == line.labels }) else {
                throw Mismatch(message: "\(line.labels) is missing in \(elements)")
            }
            guard isClose(element.value, value) else {
                throw Mismatch(message: "\(line.labels) is \(element.value), expected \(value)")
            }
        }
        guard elements.count == expected.count else {
            throw Mismatch(message: "got \(elements.count) elements, expected \(expected.count): \(elements)")
        }
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
                    throw Mismatch(message: "got \(elements)")
                }
            } else {
                try self.compare(elements, with: expected.series)
            }
        } catch let mismatch as Mismatch {
            throw Mismatch(message: "as a range query: \(mismatch.message)")
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
        for line in lines {
            var wanted: [Timestamp: Double] = [:]
            for (index, value) in line.values.enumerated() {
                if case .float(let number) = value { wanted[from + Int64(index) * step] = number }
            }
            guard let found = series.first(where: { $0.labels == line.labels }) else {
                throw Mismatch(message: "\(line.labels) is missing in \(series.map(\.labels))")
            }
            let text = "\(line.labels) is \(found.values) at \(found.times.map(\.milliseconds))"
            guard found.times.count == wanted.count else { throw Mismatch(message: text) }
            for (time, value) in zip(found.times, found.values) {
                guard let number = wanted[time], isClose(value, number) else { throw Mismatch(message: text) }
            }
        }
        guard series.count == lines.count else {
            throw Mismatch(message: "got \(series.count) series, expected \(lines.count): \(series.map(\.labels))")
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

extension String {
    /// Whether `word` stands in it, not as a part of a longer name.
    fileprivate func containsWord(_ word: String) -> Bool {
        self.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }.contains { $0 == word }
    }
}
