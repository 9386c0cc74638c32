// poyang
// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
    /// Appends a text as a JSON string (RFC 8259, section 7); only what must be escaped is.
    package mutating func appendJSONString(_ text: String) {
        self.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): self.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x0A: self.append(contentsOf: #"\n"#.utf8)
            case 0x0D: self.append(contentsOf: #"\r"#.utf8)
            case 0x09: self.append(contentsOf: #"\t"#.utf8)
            case 0..<0x20: self.append(contentsOf: (#"\u00"# + CollectionOfOne(byte).hexadecimal()).utf8)
            default: self.append(byte)
            }
        }
        self.append(UInt8(ascii: "\""))
    }
}

extension String {
    /// The text as a JSON string, its quotation marks included.
    package var jsonString: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(self.utf8.count + 2)
        bytes.appendJSONString(self)
        return String(decoding: bytes, as: UTF8.self)
    }
}
