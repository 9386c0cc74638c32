// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
package import HTTPAPI
import SeriesStorage
package import Telemetry

extension PlatformBackend {
    package func qualityReview(_ order: QualityOrder) async throws -> @Sendable (Labels) throws -> QualityReport {
        let (store, processor, now) = (self.samples, self.processor, self.now())
        // After what was committed until now.
        try await processor.perform { _ in }
        let review = QualityReview(catalog: self.resolver.catalog, reader: store.reader)
        return { labels in
            let findings = try review.findings(of: labels, from: order.from, through: order.through)
            if order.isApplied {
                try processor.commit(revisions: findings.filter(\.isChange), of: labels, at: now)
            }
            return QualityReport(labels, findings)
        }
    }
}
