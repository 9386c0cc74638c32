// poyang
// SPDX-License-Identifier: Apache-2.0

/// Sends replayed messages at QoS 1 and keeps to a window of unacknowledged ones.
protocol ReplayPublisher {
    /// Returns when the message is on its way, which may be after waiting for room in the window.
    func publish(topic: String, payload: [UInt8]) async throws
    /// Returns when every message sent has been acknowledged, and disconnects.
    func finish() async throws
}

/// Connects to a broker, `mqtt[s]://HOST:PORT`.
///
/// - Throws: ``CommandFailure`` when it cannot be reached.
func makeReplayPublisher(broker: String) async throws -> any ReplayPublisher {
    throw CommandFailure("this build cannot publish to \(broker); build the package as a whole with 'swift build'")
}
