// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// What became of a pushed request, when it is on disk.
package struct RemoteWriteReport: Sendable {
    /// Samples in the journal, those among them that were there before.
    package var stored: Int
    /// Why the others are not; a short list.
    package var refusals: [Refusal]
    /// Passed over.
    package var exemplars: Int
    /// Samples of native histograms, passed over.
    package var histograms: Int

    package init(stored: Int, refusals: [Refusal], exemplars: Int, histograms: Int) {
        self.stored = stored
        self.refusals = refusals
        self.exemplars = exemplars
        self.histograms = histograms
    }

    /// Samples that were refused.
    package var refused: Int { self.refusals.reduce(0) { $0 + $1.values } }
}
