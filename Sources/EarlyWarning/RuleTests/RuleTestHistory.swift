// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A recording that a rule test plays: `history:`.
package struct RuleTestHistory: Sendable {
    /// A CSV file; here and below paths are relative to the test file, or absolute.
    package var file: String
    /// What its columns are; nil where that stands beside the file, or where it is in the form that `import` takes.
    package var map: String?
    /// The folder of the sites and devices that the map names.
    package var devices: String?
    /// The first moment that is played, and the first that is no longer played.
    package var from = Timestamp.distantPast
    package var end = Timestamp.distantFuture
    /// How much later than their times the samples arrive.
    package var delay: Milliseconds = 0

    package init(file: String) { self.file = file }
}
