// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
import Telemetry

/// With what a device, a gateway or a network server logs in at the broker.
package struct CredentialReport: Encodable, Sendable {
    /// Absent where the account is none of a device.
    package var device: String?
    /// The MQTT user.
    package var user: String
    /// `device`, `gateway` or `network_server`.
    package var role: String
    /// Shown once, when it is made.
    package var password: String?
    /// Where it may publish: a device below this topic, others to topics of these filters.
    package var topic: String
    /// Absent, as is the person, where none was made.
    package var createdAt: String?
    package var revokedAt: String?
    package var by: String?
    /// What is still to be done by hand; absent when the broker knows.
    package var toDo: String?
    /// Why the device was passed over when accounts were made for all that have none.
    package var problem: String?
    package var problemZh: String?

    package init(_ row: CredentialRow, password: String? = nil, toDo: String? = nil) {
        self.device = row.role == .device ? row.user : nil
        self.user = row.user
        self.role = row.role.rawValue
        self.password = password
        self.topic =
            row.role == .device ? "poyang/v1/devices/\(row.user)/" : row.role.topics.joined(separator: " ")
        self.createdAt = row.createdAt.rfc3339()
        self.revokedAt = row.revokedAt?.rfc3339()
        self.by = row.who
        self.toDo = toDo
    }

    /// Of a device that was passed over.
    package init(skipped device: String, _ problem: APIProblem) {
        self.device = device
        self.user = device
        self.role = AccountRole.device.rawValue
        self.topic = "poyang/v1/devices/\(device)/"
        self.problem = problem.detail
        self.problemZh = problem.detailZh
    }
}

extension AccountRole {
    /// The filters of topics to which such an account may publish; none for a device, which has a pattern of its own.
    package var topics: [String] {
        switch self {
        case .device: []
        case .gateway: ["poyang/v1/devices/+/sl651"]
        case .networkServer: ["application/+/device/+/event/+", "v3/+/devices/+/up"]
        }
    }
}
