// poyang
// SPDX-License-Identifier: Apache-2.0

package import DeviceCatalog
package import Telemetry

/// Which stored samples are to be tested.
package struct QualityOrder: Sendable {
    package let from: Timestamp
    package let through: Timestamp
    /// Whether other flags are stored, as revisions; the originals are kept.
    package let isApplied: Bool
}

/// What the tests say of the stored samples of one series.
package struct QualityReport: Encodable, Sendable {
    /// A sample that is doubted, or was.
    package struct Value: Encodable, Sendable {
        package let time: String
        package let value: Double
        /// What is stored, and the test that it names.
        package let storedQuality: Int
        package let storedTest: String?
        package let quality: Int
        package let failedTest: String?
        package let failedTestZh: String?
    }

    package let site: String
    package let metric: String
    /// Without metric name and site.
    package let labels: Labels
    /// False where no test is made of the series; the rest is empty then.
    package let tested: Bool
    package let samples: Int
    package let passed: Int
    package let suspect: Int
    package let failed: Int
    /// How many samples have another flag than the one that was stored.
    package let changed: Int
    package let values: [Value]

    package init(_ series: Labels, _ findings: [QualityReview.Finding]) {
        self.site = series.site
        self.metric = series.metric
        self.labels = series.removing([Labels.metricName, "site"])
        self.tested = !findings.isEmpty
        self.samples = findings.count
        self.passed = findings.count { $0.mark.quality == .pass }
        self.suspect = findings.count { $0.mark.quality == .suspect }
        self.failed = findings.count { $0.mark.quality == .fail }
        self.changed = findings.count { $0.isChange }
        self.values =
            findings.filter {
                [.suspect, .fail].contains($0.mark.quality) || [.suspect, .fail].contains($0.sample.mark.quality)
            }
            .map { finding in
                let (before, after) = (finding.sample.mark, finding.mark)
                return Value(
                    time: finding.sample.time.rfc3339(),
                    value: finding.sample.value,
                    storedQuality: Int(before.quality.rawValue),
                    storedTest: before.failedTest?.description,
                    quality: Int(after.quality.rawValue),
                    failedTest: after.failedTest?.description,
                    failedTestZh: after.failedTest?.title.zh
                )
            }
    }
}
