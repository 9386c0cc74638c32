// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
package import Dissemination
import Foundation

/// The forms in which `catalog.db` keeps warnings and messages: JSON with sorted keys, `NaN` and infinities as texts.
package enum StoredJSON {
    package static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "+Inf", negativeInfinity: "-Inf", nan: "NaN")
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    package static func value<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "+Inf", negativeInfinity: "-Inf", nan: "NaN")
        return try decoder.decode(type, from: Data(text.utf8))
    }

    package static func warning(_ row: WarningRow) throws -> Warning {
        try self.value(Warning.self, row.json)
    }

    package static func message(_ row: FeedRow) throws -> WarningMessage {
        try self.value(WarningMessage.self, row.entry.json)
    }
}
