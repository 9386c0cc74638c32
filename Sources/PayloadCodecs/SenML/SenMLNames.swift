// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The resolved names of records, and the keys of readings that follow from them.
enum SenMLNames {
    /// Bytes of a name.
    static let longest = 512

    /// What stands behind the last separator; where that is nothing or a device's number, the unit.
    static func key(of name: String, unit: String?) -> String {
        let bytes = name.utf8
        guard let separator = bytes.lastIndex(where: self.isSeparator) else { return name }
        var last = bytes[bytes.index(after: separator)...]
        // urn:dev:ow:10e2073a01080063 and, of a part of it, urn:dev:ow:10e2073a01080063_temperature (RFC 9039).
        if self.isDevice(bytes) {
            last = last.firstIndex(of: UInt8(ascii: "_")).map { last[last.index(after: $0)...] } ?? last.suffix(0)
        }
        if !last.isEmpty { return String(Substring(last)) }
        return unit ?? String(Substring(bytes.prefix { !self.isSeparator($0) }))
    }

    /// Whether a name is the URN of a device without a path.
    private static func isDevice(_ name: String.UTF8View) -> Bool {
        // Letters with their bit of lower case set; ":" has it anyway.
        name.prefix(8).lazy.map { $0 | 0x20 }.elementsEqual("urn:dev:".utf8)
            && !name.contains(UInt8(ascii: "/")) && name.count { $0 == UInt8(ascii: ":") } == 3
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ";")
    }

    /// 4.5.1: `A-Z a-z 0-9 - : . / _`, the first a letter or digit; `;` was in older drafts.
    static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, self.isLetterOrDigit(first), name.utf8.count <= self.longest else {
            return false
        }
        return name.utf8.allSatisfy(self.isAllowed)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: self.isLetterOrDigit(byte) || self.isSeparator(byte)
        }
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
    static func unit(_ name: String) -> Unit? { self.named[name] }

    /// Those of files, but for what has another meaning here, coulomb and farad, and those that files name otherwise.
    private static let named: [String: Unit] = {
        var named = Unit.byName
        named["C"] = nil
        named["F"] = nil
        for (name, known) in [
            ("degC", "celsius"), ("degF", "fahrenheit"), ("%RH", "%"), ("%EL", "%"), ("/100", "%"), ("lat", "deg"),
            ("lon", "deg"), ("count", "1"),
        ] { named[name] = Unit(named: known) }
        return named
    }()
}
