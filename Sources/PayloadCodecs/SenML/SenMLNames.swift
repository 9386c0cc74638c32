// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The keys of readings for the resolved names of records; remembers those of a pack's kind, which repeat.
struct SenMLNames: Sendable {
    /// Bytes of a name.
    static let longest = 512

    private struct Entry: Sendable {
        var name: String
        var unit: String?
        var key: String
    }

    private var entries: [Entry] = []
    private var next = 0

    /// What stands behind the last separator; where that is nothing or a device's number, the unit.
    mutating func key(of name: String, unit: String?) -> String {
        for entry in self.entries where entry.name == name && entry.unit == unit { return entry.key }
        let entry = Entry(name: name, unit: unit, key: Self.key(name, unit))
        if self.entries.count < 16 {
            self.entries.append(entry)
        } else {
            self.entries[self.next % 16] = entry
            self.next += 1
        }
        return entry.key
    }

    private static func key(_ name: String, _ unit: String?) -> String {
        let separators: [Character] = [":", "/", ";"]
        guard let separator = name.lastIndex(where: separators.contains) else { return name }
        var last = name[name.index(after: separator)...]
        // urn:dev:ow:10e2073a01080063 and, of a part of it, urn:dev:ow:10e2073a01080063_temperature (RFC 9039).
        if name.lowercased().hasPrefix("urn:dev:"), !name.contains("/"), name.count(where: { $0 == ":" }) == 3 {
            last = last.firstIndex(of: "_").map { last[last.index(after: $0)...] } ?? ""
        }
        if !last.isEmpty { return String(last) }
        return unit ?? String(name.prefix { !separators.contains($0) })
    }

    /// 4.5.1: `A-Z a-z 0-9 - : . / _`, the first a letter or digit; `;` was in older drafts.
    static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, self.isLetterOrDigit(first), name.utf8.count <= self.longest else {
            return false
        }
        return name.utf8.allSatisfy { self.isLetterOrDigit($0) || "-:./_;".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}

/// Units by their SenML names (IANA, SenML Units: primary and secondary).
enum SenMLUnit {
    /// Nil for units that the platform does not know.
    static func unit(_ name: String) -> Unit? { self.known[name] }

    private static let known: [String: Unit] = {
        let names: [(String, String)] = [
            ("m", "m"), ("mm", "mm"), ("cm", "cm"), ("Cel", "celsius"), ("K", "K"), ("degC", "celsius"),
            ("degF", "fahrenheit"), ("%RH", "%"), ("%EL", "%"), ("%", "%"), ("/", "/"), ("V", "V"), ("mV", "mV"),
            ("A", "A"), ("m/s", "m/s"), ("m3", "m³"), ("m3/s", "m³/s"), ("m3/h", "m³/h"), ("l/s", "L/s"),
            ("W/m2", "W/m²"), ("Pa", "Pa"), ("hPa", "hPa"), ("kPa", "kPa"), ("deg", "deg"), ("S/m", "S/m"),
            ("pH", "pH"), ("dB", "dB"), ("dBm", "dBm"), ("kg", "kg"), ("m2", "m²"), ("h", "h"), ("NTU", "NTU"),
            ("kg/m3", "kg/m³"),
        ]
        return Dictionary(uniqueKeysWithValues: names.compactMap { name, ours in Unit(named: ours).map { (name, $0) } })
    }()
}
