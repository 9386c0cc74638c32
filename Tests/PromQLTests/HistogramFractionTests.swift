// poyang
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// Shares of a classic histogram's observations, and the labels that tell what a metric is.
struct HistogramFractionTests {
    private func failures(
        _ evaluation: String,
        _ times: String = "instant at 1m"
    ) throws -> [PromQLScriptRunner.Report.Failure] {
        let script = """
            load 1m
              wait_bucket{le="1"} 2 2
              wait_bucket{le="3"} 6 6
              wait_bucket{le="+Inf"} 8 8
              cold_bucket{le="-2"} 1 1
              cold_bucket{le="0"} 3 3
              cold_bucket{le="+Inf"} 4 4
              open_bucket{le="1"} 2 2
              idle_bucket{le="+Inf"} 0 0
              rain{__type__="gauge", __unit__="meters", site="a"} 6 6
              depth{__type__="counter", site="a"} 2 2

            eval \(times) \(evaluation)

            """
        let report = PromQLScriptRunner.run(try PromQLScript(parsing: script))
        #expect(report.passed + report.failures.count == 1, "skipped: \(report.skipped)")
        return report.failures
    }

    @Test(arguments: [
        ("0, 2, wait_bucket", "0.5"), ("-5, 1, wait_bucket", "0.25"), ("2, 2, wait_bucket", "0"),
        ("3, 1, wait_bucket", "0"), ("NaN, 2, wait_bucket", "NaN"), ("0, 100, wait_bucket", "0.75"),
        ("0, Inf, wait_bucket", "1"), ("100, Inf, wait_bucket", "0.25"), ("-Inf, -5, cold_bucket", "0.25"),
        ("-5, -1, cold_bucket", "0.25"), ("0, 1, open_bucket", "NaN"), ("0, 1, idle_bucket", "NaN"),
    ])
    func aShareOfTheObservationsLiesBetweenTwoValues(arguments: String, share: String) throws {
        #expect(try self.failures("histogram_fraction(\(arguments))\n  {} \(share)").isEmpty)
    }

    @Test(arguments: [
        "wait_bucket, \"q\", 0.5\n  {q=\"0.5\"} 2",
        "wait_bucket, \"q\", 0, 0.25, 1\n  {q=\"0.0\"} 0\n  {q=\"0.25\"} 1\n  {q=\"1.0\"} 3",
        "wait_bucket, (\"q\"), -1, 1e-5, 2e6\n  {q=\"-1.0\"} -Inf\n  {q=\"1e-05\"} 0.00004\n  {q=\"2e+06\"} +Inf",
        "wait_bucket, \"__name__\", 0.5\n  {__name__=\"0.5\"} 2",
        "wait_bucket, \"q\", 0.5, 0.5\n  expect fail", "wait_bucket, \"\", 0.5\n  expect fail",
        "wait_bucket, \"q\"\n  expect fail", "wait_bucket, \"q\", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n  expect fail",
    ])
    func severalQuantilesAreToldApartByALabel(evaluation: String) throws {
        let parts = evaluation.split(separator: "\n", maxSplits: 1)
        #expect(try self.failures("histogram_quantiles(\(parts[0]))\n\(parts[1])").isEmpty)
    }

    @Test func aShareThatMovesHasManyLabels() throws {
        let lines = "  {q=\"0.0\"} 0 _ _\n  {q=\"0.5\"} _ 2 _\n  {q=\"1.0\"} _ _ 3"
        let evaluation = "histogram_quantiles(wait_bucket, \"q\", time() / 120)\n\(lines)"
        #expect(try self.failures(evaluation, "range from 0 to 2m step 1m").isEmpty)
    }

    @Test(arguments: [
        "rain * 2\n  {site=\"a\"} 12", "abs(rain)\n  {site=\"a\"} 6", "rain / depth",
        "rain / ignoring(__type__, __unit__) depth\n  {site=\"a\"} 3", "rain and depth",
        "(rain - on(site) depth) / on(site) rain * 3\n  {site=\"a\"} 2",
        "rain and on(site) depth\n  rain{__type__=\"gauge\", __unit__=\"meters\", site=\"a\"} 6",
        "rate(depth[1m:30s])\n  {site=\"a\"} 0",
    ])
    func typeAndUnitGoWhereTheNameGoesAndAreMatchedOn(evaluation: String) throws {
        #expect(try self.failures(evaluation).isEmpty)
    }
}
