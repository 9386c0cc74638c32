// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Where an id is declared.
struct Place: Hashable, Sendable, CustomStringConvertible {
    let file: String
    let line: Int
    let column: Int

    var description: String { "\(self.file):\(self.line):\(self.column)" }

    /// The same in any language.
    var name: LocalizedName { LocalizedName(zh: self.description, en: self.description) }
}

/// A file's text with the path that messages show.
package struct SourceText: Hashable, Sendable {
    /// With `models/`, `sites/` or `areas/` in it: `Devices/sites/poyang/xingzi.yaml`.
    package var path: String
    package var text: String

    package init(path: String, text: String) {
        self.path = path
        self.text = text
    }
}

/// What the files under `Devices/` say, checked.
package struct CatalogFiles: Sendable {
    package internal(set) var models: [String: DeviceModel] = [:]
    package internal(set) var sites: [String: Site] = [:]
    package internal(set) var areas: [String: Area] = [:]
    package internal(set) var devices: [String: Device] = [:]
    /// Payloads of the models and what they mean.
    package internal(set) var examples: [ModelExample] = []
    var addresses = AddressBook()
    /// Where each site, device and area is declared, by `site xingzi`.
    var places: [String: Place] = [:]

    package static let none = CatalogFiles()
}
