// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPAPI

/// What became of pushed requests; their samples are counted with all readings.
struct RemoteWriteMetrics: Sendable {
    enum Outcome: String, CaseIterable, Sendable {
        /// All samples are on disk.
        case stored
        /// Some samples were refused.
        case partial
        /// The body could not be used.
        case refused
        /// Nothing could be stored; the sender comes again.
        case unavailable
    }

    var requests: [Outcome: Int] = [:]
    /// Passed over, because there is no place for them.
    var exemplars = 0
    /// Samples of native histograms, passed over for the same reason.
    var histograms = 0

    mutating func count(_ report: RemoteWriteReport) {
        self.requests[report.refusals.isEmpty ? .stored : .partial, default: 0] += 1
        self.exemplars += report.exemplars
        self.histograms += report.histograms
    }

    func add(to text: inout MetricsText) {
        text.add(
            "poyang_remote_write_requests_total",
            "counter",
            "Requests to /api/v1/write by what became of them.",
            Outcome.allCases.map { (["outcome": $0.rawValue], self.requests[$0] ?? 0) }
        )
        text.add(
            "poyang_remote_write_ignored_total",
            "counter",
            "What was pushed and is not kept.",
            [(["kind": "exemplar"], self.exemplars), (["kind": "histogram"], self.histograms)]
        )
    }
}
