// poyang
// SPDX-License-Identifier: Apache-2.0

/// Sends replayed messages at QoS 1 and keeps to a window of unacknowledged ones.
protocol ReplayPublisher {
    /// Returns when the message is on its way, which may be after waiting for room in the window.
    ///
    /// - Throws: ``CommandFailure`` when the broker cannot be reached or has refused a message.
    func publish(topic: String, payload: [UInt8]) async throws

    /// Returns when every message has been acknowledged, and leaves the broker.
    ///
    /// - Throws: ``CommandFailure`` when a message was refused or is not acknowledged in time.
    func finish() async throws
}
