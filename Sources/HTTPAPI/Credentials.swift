// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
import Telemetry

/// With what a device logs in at the broker.
package struct CredentialReport: Encodable, Sendable {
    package var device: String
    /// Its MQTT user.
    package var user: String
    /// Shown once, when it is made.
    package var password: String?
    /// Below this it may publish.
    package var topic: String
    package var createdAt: String
    package var revokedAt: String?
    package var by: String
    /// What is still to be done by hand; absent when the broker knows.
    package var toDo: String?

    package init(_ row: CredentialRow, password: String? = nil, toDo: String? = nil) {
        self.device = row.device
        self.user = row.device
        self.password = password
        self.topic = "poyang/v1/devices/\(row.device)/"
        self.createdAt = row.createdAt.rfc3339()
        self.revokedAt = row.revokedAt?.rfc3339()
        self.by = row.who
        self.toDo = toDo
    }
}
