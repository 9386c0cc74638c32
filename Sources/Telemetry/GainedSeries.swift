// poyang
// SPDX-License-Identifier: Apache-2.0

/// Whose a series is that came into being with its first reading.
///
/// Several devices of a site may measure the same; who reported first keeps the site's plain series, also over a start.
package struct GainedSeries: Hashable, Sendable {
    package var labels: Labels
    package var device: String
    /// Whether, of a depth of rain, the device reports it itself; else it may follow from a counter.
    package var isReportedDepth: Bool

    package init(labels: Labels, device: String, isReportedDepth: Bool = false) {
        self.labels = labels
        self.device = device
        self.isReportedDepth = isReportedDepth
    }
}
