// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPAPI
import Telemetry
import Testing

/// What clients of Prometheus read of an alert.
struct AlertReportTests {
    @Test(arguments: [
        (Double.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (nil, "NaN"), (0.97536, "0.97536"), (20, "20"),
    ])
    func valuesAreWrittenAsPrometheusDoes(value: Double?, text: String) {
        let report = AlertReport(labels: .empty, annotations: [:], state: "firing", activeAt: "", value: value)
        #expect(report.value == text)
    }
}
