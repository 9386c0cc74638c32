// poyang
// SPDX-License-Identifier: Apache-2.0

/// Payloads of field protocols, made by the words of the standards; each number gives another.
enum FieldPayloads {
    /// A timed report of SL 651: rain of the day, counter, level, voltage.
    static func report(_ number: Int) -> [UInt8] {
        self.frame(
            0x32,
            self.groups(number) + [0x20, 0x19] + self.packed(number % 1000, 3) + self.tail(number),
            number
        )
    }

    /// An hourly report of SL 651: twelve depths, twelve relative levels, counter, level, none missing.
    static func hour(_ number: Int) -> [UInt8] {
        let depths = (0..<12).map { UInt8(number >> $0 & 7) }
        let levels = (0..<12).flatMap { [UInt8(number >> 8 & 3), UInt8((number + $0) & 0xFF)] }
        let values: [UInt8] = [0x26, 0x19] + self.packed(number, 3) + [0x39, 0x23] + self.packed(19_000 + number, 4)
        return self.frame(0x34, self.groups(number) + [0xF4, 0x60] + depths + [0xF5, 0xC0] + levels + values, number)
    }

    /// A packet of HJ 212 with six factors.
    static func waterQuality(_ number: Int) -> [UInt8] {
        let factors = ["w01001", "w01009", "w01010", "w01014", "w21003", "w21011"].enumerated()
            .map { index, code in "\(code)-Rtd=\(number % 10).\(index)25,\(code)-Flag=N" }
        let data = Array(
            ("QN=20220621165610123;ST=21;CN=2011;PW=123456;MN=3604260000\(1000 + number % 2000);Flag=5;"
                + "CP=&&DataTime=20220621165600;" + factors.joined(separator: ";") + "&&")
                .utf8
        )
        let check = self.check(data) { crc, byte in crc >> 8 ^ UInt16(byte) }
        let digits = String(check, radix: 16, uppercase: true)
        return Array("##0\(data.count)".utf8) + data
            + Array((String(repeating: "0", count: 4 - digits.utf8.count) + digits + "\r\n").utf8)
    }

    private static func groups(_ number: Int) -> [UInt8] {
        let station = self.station(number)
        return [UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)] + [0x22, 0x06, 0x21, 0x16, 0x56, 0x10] + [0xF1, 0xF1]
            + station + [0x48, 0xF0, 0xF0, 0x22, 0x06, 0x21, 0x16, 0x05]
    }

    private static func tail(_ number: Int) -> [UInt8] {
        [0x26, 0x19] + self.packed(number, 3) + [0x39, 0x23] + self.packed(19_000 + number, 4) + [
            0x38, 0x12, 0x12, 0x68,
        ]
    }

    private static func station(_ number: Int) -> [UInt8] { [0x00] + self.packed(62_300_000 + number, 4) }

    private static func frame(_ function: UInt8, _ body: [UInt8], _ number: Int) -> [UInt8] {
        var frame: [UInt8] = [0x7E, 0x7E, 0x01] + self.station(number) + [0x12, 0x34, function]
        frame += [UInt8(body.count >> 8), UInt8(body.count & 0xFF), 0x02] + body + [0x03]
        let check = self.check(frame) { crc, byte in crc ^ UInt16(byte) }
        return frame + [UInt8(check >> 8), UInt8(check & 0xFF)]
    }

    /// Decimal digits, two a byte.
    private static func packed(_ number: Int, _ count: Int) -> [UInt8] {
        var rest = number
        var bytes: [UInt8] = []
        for _ in 0..<count {
            bytes.insert(UInt8((rest / 10 % 10) << 4 | (rest % 10)), at: 0)
            rest /= 100
        }
        return bytes
    }

    private static func check(_ bytes: [UInt8], mix: (UInt16, UInt8) -> UInt16) -> UInt16 {
        bytes.reduce(0xFFFF) { crc, byte in
            (0..<8).reduce(mix(crc, byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
        }
    }
}
