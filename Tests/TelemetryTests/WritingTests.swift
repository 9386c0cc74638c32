// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

struct WritingTests {
    @Test func bytesAreTwoDigitsEach() {
        #expect([0x00, 0x0F, 0x7E, 0xA9, 0xFF].hexadecimal() == "000f7ea9ff")
        #expect([0x0A, 0xFF].hexadecimal(uppercase: true) == "0AFF")
        #expect([UInt8]().hexadecimal().isEmpty)
    }

    @Test(arguments: [
        ("", #""""#), ("鄱阳 \"x\"\\", #""鄱阳 \"x\"\\""#), ("a\nb\r\tc", #""a\nb\r\tc""#),
        ("\u{0}\u{1F}\u{7F}/", "\"\\u0000\\u001f\u{7F}/\""), ("e\u{301}😀", "\"e\u{301}😀\""),
    ])
    func aJSONStringEscapesNothingButWhatMustBe(text: String, json: String) {
        #expect(text.jsonString == json)
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        bytes.appendJSONString(text)
        #expect(String(decoding: bytes, as: UTF8.self) == "[" + json)
    }
}
