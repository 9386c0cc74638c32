// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A device that has an address of SL 651, as the gateway needs to know it.
package struct GatewayStation: Hashable, Sendable {
    /// The device's id.
    package var device: String
    /// As people wrote it: ten hexadecimal digits, eight of SL 502, or twelve decimal ones.
    package var address: String
    /// How often it reports.
    package var interval: Milliseconds?
    /// The newest reading that is stored of it.
    package var lastSeen: Timestamp?

    package init(device: String, address: String, interval: Milliseconds? = nil, lastSeen: Timestamp? = nil) {
        self.device = device
        self.address = address
        self.interval = interval
        self.lastSeen = lastSeen
    }
}

/// Which device has which address.
struct StationDirectory {
    private let stations: [UInt64: GatewayStation]

    /// Addresses that are none of SL 651 (DevEUI, MN) are left out.
    init(_ stations: [GatewayStation]) {
        var known: [UInt64: GatewayStation] = [:]
        for station in stations {
            guard let address = Self.number(of: station.address) else { continue }
            known[address] = station
        }
        self.stations = known
    }

    subscript(address: UInt64) -> GatewayStation? { self.stations[address] }

    var count: Int { self.stations.count }

    /// The 40 bits of an address (6.2.3.2); nil where the text is none.
    ///
    /// The eight digits of SL 502 stand behind 00; of twelve decimal digits the last six are a number of two bytes.
    static func number(of text: String) -> UInt64? {
        let plain = text.filter { $0 != "-" && $0 != ":" && $0 != " " }
        switch plain.utf8.count {
        case 8, 10: return UInt64(plain, radix: 16)
        case 12:
            guard let county = UInt64(plain.prefix(6), radix: 16), plain.allSatisfy(\.isNumber),
                let number = UInt16(plain.suffix(6))
            else { return nil }
            return county << 16 | UInt64(number)
        default: return nil
        }
    }
}
