// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// The bytes of a device as a network server passed them on, for whoever knows the device's model.
package struct DeviceFrame: Hashable, Sendable {
    /// The application port, 1…255; nil where it is not known.
    package var port: Int?
    /// When the network received it.
    package var time: Timestamp?
    package var bytes: [UInt8] = []
    /// False where a payload holds no frame.
    package var isPresent = false
    /// How many of the message's readings, from the first on, the server's own decoder has made of the same bytes.
    package var decodedByServer = 0

    package init() {}

    mutating func clear() {
        self.port = nil
        self.time = nil
        self.bytes.removeAll(keepingCapacity: true)
        self.isPresent = false
        self.decodedByServer = 0
    }
}
