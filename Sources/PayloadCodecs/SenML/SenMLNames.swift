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

/// Units by their names in SenML (RFC 8428 and the registry, its secondary units of RFC 8798 with it), and by those of files.
enum SenMLUnit {
    /// Nil for units in which no metric is measured, and for what is none.
    static func unit(_ name: String) -> Unit? {
        if let unit = self.named[name] { return unit }
        // In SenML coulomb and farad.
        return name == "C" || name == "F" ? nil : Unit(named: name)
    }

    /// Those that files name otherwise.
    private static let named: [String: Unit] = [
        "degC": "celsius", "degF": "fahrenheit", "%RH": "%", "%EL": "%", "/100": "%", "lat": "deg", "lon": "deg",
        "count": "1",
    ]
    .compactMapValues { Unit(named: $0) }
}
