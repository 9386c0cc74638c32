// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PayloadCodecs
import Telemetry
import TestSupport
import Testing

struct NumberTests {
    @Test(arguments: [
        "0", "-0", "0.1", "1.25", "-273.15", "9007199254740993", "9007199254740992", "123456789012345678901234567890",
        "2.2250738585072011e-308", "4.9e-324", "1e-400", "1.7976931348623157e308", "8.41e21", "1e22", "1e23",
        "0.3000000000000000444089209850062616169452667236328125", "12345678901234567",
        "1.00000000000000011102230246251565",
        "0.000000000000000000000000000000001", "1E5", "1e+5", "100000000000000000000000e-20",
    ])
    func roundsAsTheStandardLibraryDoes(text: String) throws {
        let value = try #require(decode("{\"a\":\(text)}").readings.first?.value)
        #expect(value.bitPattern == Double(text)?.bitPattern)
    }

    @Test func roundsRandomDecimalsAsTheStandardLibraryDoes() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let text = randomDecimal(&random)
            let value = decode("{\"a\":\(text)}").readings.first?.value ?? .infinity
            #expect(value.bitPattern == Double(text)?.bitPattern, "\(text), seed \(seed)")
        }
    }
}

func randomDecimal(_ random: inout SeededGenerator) -> String {
    var text = Bool.random(using: &random) ? "-" : ""
    let digits = Int.random(in: 1...Int.random(in: 1...24, using: &random), using: &random)
    text += "\(Int.random(in: 1...9, using: &random))"
    for _ in 1..<max(2, digits) { text += "\(Int.random(in: 0...9, using: &random))" }
    if Bool.random(using: &random) {
        text += "."
        for _ in 0..<Int.random(in: 1...12, using: &random) { text += "\(Int.random(in: 0...9, using: &random))" }
    }
    if Int.random(in: 0..<3, using: &random) == 0 { text += "e\(Int.random(in: -40...40, using: &random))" }
    return text
}
