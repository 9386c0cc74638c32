// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// Any JSON value; what the HTTP interface answers is read as this, and tables are made from it.
enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The value under a key of an object; `null` where it is absent or this is no object.
    subscript(key: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members[key] ?? .null
    }

    /// The elements of an array; empty for everything else.
    var elements: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .number(let number): Int64(exactly: number)
        case .null, .bool, .string, .array, .object: nil
        }
    }

    var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .null, .bool, .string, .array, .object: nil
        }
    }

    var isNull: Bool { self == .null }

    /// - Throws: ``CommandFailure`` where the bytes are no JSON.
    static func parse(_ bytes: Data) throws -> JSONValue {
        do {
            return try JSONDecoder().decode(JSONValue.self, from: bytes)
        } catch {
            let start = String(decoding: bytes.prefix(120), as: UTF8.self)
            throw CommandFailure("the answer is not JSON: '\(start)'; does another program listen there?")
        }
    }

    /// Compact JSON; the members of an object in the order of their names.
    var jsonText: String {
        switch self {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .number(let number): number.isFinite ? "\(number)" : "null"
        case .string(let text): text.jsonString
        case .array(let elements): "[" + elements.map(\.jsonText).joined(separator: ",") + "]"
        case .object(let members): JSONValue.objectText(members.sorted { $0.key < $1.key })
        }
    }

    /// An object with its members in the order given.
    static func objectText(_ members: [(key: String, value: JSONValue)]) -> String {
        "{" + members.map { "\($0.key.jsonString):\($0.value.jsonText)" }.joined(separator: ",") + "}"
    }

    /// The value as a cell of a table: strings bare, null empty, the rest as JSON.
    var cellText: String {
        switch self {
        case .null: ""
        case .string(let text): text.replacing("\n", with: " ")
        case .array(let elements) where elements.allSatisfy({ $0.string != nil }):
            elements.compactMap(\.string).joined(separator: ", ")
        case .bool, .integer, .number, .array, .object: self.jsonText
        }
    }
}

extension JSONValue: Decodable {
    init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: AnyKey.self) {
            var members: [String: JSONValue] = [:]
            for key in container.allKeys {
                members[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
            }
            self = .object(members)
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let flag = try? container.decode(Bool.self) {
                self = .bool(flag)
            } else if let number = try? container.decode(Int64.self) {
                self = .integer(number)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .string(try container.decode(String.self))
            }
        }
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        self.intValue = nil
    }

    init?(intValue: Int) {
        self.stringValue = String(intValue)
        self.intValue = intValue
    }
}
