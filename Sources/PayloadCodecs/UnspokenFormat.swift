// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// A format that has a topic but no decoder: every payload is kept in quarantine, with advice, to be retried later.
package struct UnspokenFormat: PayloadCodec {
    private let advice: String

    /// - Parameter advice: What the format is and what to send instead.
    package init(advice: String) {
        self.advice = advice
    }

    package func decode(_ payload: Span<UInt8>, into message: inout DecodedMessage) {
        message.refuseWhole(.malformed, self.advice)
    }
}
