// poyang
// SPDX-License-Identifier: Apache-2.0

/// The identities that others give to devices, and the ways in which people write them down.
enum ForeignAddress {
    /// Whether people may have written a DevEUI so: 16 hexadecimal digits, with or without separators.
    static func isDevEUI(_ address: String) -> Bool {
        let plain = self.plain(address)
        return plain.utf8.count == 16 && plain.allSatisfy { $0.isASCII && $0.isHexDigit }
    }

    /// Whether a station of SL 651 can be found by it: the ten hexadecimal digits that it sends, the eight of SL 502, or
    /// six digits and a number of six decimal digits.
    static func isSL651(_ address: String) -> Bool {
        let plain = self.plain(address)
        return switch plain.utf8.count {
        case 8, 10: plain.allSatisfy { $0.isASCII && $0.isHexDigit }
        case 12: plain.allSatisfy { $0.isASCII && $0.isNumber } && UInt16(plain.suffix(6)) != nil
        default: false
        }
    }

    private static func plain(_ address: String) -> String {
        address.filter { $0 != "-" && $0 != ":" && $0 != " " }
    }

    /// The forms in which a device with this address is found, in capital letters; none where it is empty.
    ///
    /// - A DevEUI and an address of SL 651 are written with and without `-`, `:` or blanks.
    /// - SL 651 sends ten hexadecimal digits. Of hydrological stations the first two are 0 and people write the eight of
    ///   SL 502; of others the last four are a number that people write with six decimal digits (6.2.3.2).
    /// - Anything else, an MN of HJ 212 or a node of Sparkplug, is as it is written: there `a-1` is not `a1`.
    static func forms(of address: String) -> [String] {
        let written = address.uppercased()
        let plain = self.plain(written)
        guard !plain.isEmpty else { return [] }
        guard plain.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return [written] }
        switch plain.utf8.count {
        case 8: return [plain, "00" + plain]
        case 10, 16: return [plain]
        case 12 where plain.allSatisfy(\.isNumber):
            guard let number = UInt16(plain.suffix(6)) else { return [plain] }
            let hex = String(number, radix: 16, uppercase: true)
            return [plain, plain.prefix(6) + String(repeating: "0", count: 4 - hex.count) + hex]
        default: return [written]
        }
    }
}
