// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The labels that tell what a metric is rather than which series: its name, type and unit (Prometheus proposal
/// "Metadata labels").
///
/// What changes the meaning of the values takes all three away, and vector matching does not look at them.
extension Labels {
    static let typeName = "__type__"
    static let unitName = "__unit__"

    /// Asked for every label of every row: the length decides mostly.
    @inline(__always)
    static func isMetadata(_ name: String) -> Bool {
        name.utf8.count == 8 && (name == Labels.metricName || name == Labels.typeName || name == Labels.unitName)
    }

    var hasMetadata: Bool { self.contains { Labels.isMetadata($0.name) } }

    func removingMetadata() -> Labels {
        Labels(sorted: self.filter { !Labels.isMetadata($0.name) })
    }
}
