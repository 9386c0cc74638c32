// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
package import Dissemination

extension WarningRow {
    /// The warning that the row's JSON holds.
    package func warning() throws -> Warning { try StoredJSON.decode(Warning.self, from: self.json) }
}

extension FeedRow {
    /// The message that the row's JSON holds.
    package func message() throws -> WarningMessage {
        try StoredJSON.decode(WarningMessage.self, from: self.entry.json)
    }
}
