// poyang
// SPDX-License-Identifier: Apache-2.0

/// Whether a device has a connection to the broker, by what it published on its topic `status`.
///
/// `offline` is its Last Will, which the broker publishes for it. A device that never said anything is in neither state.
package struct DeviceConnection: Hashable, Sendable {
    package enum State: String, Hashable, Sendable {
        case online
        case offline
    }

    package var device: String
    package var state: State
    /// The first time that it was heard.
    package var since: Timestamp

    package init(device: String, state: State, since: Timestamp) {
        self.device = device
        self.state = state
        self.since = since
    }
}
