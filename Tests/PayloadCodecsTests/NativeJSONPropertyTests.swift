// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PayloadCodecs
import Telemetry
import TestSupport
import Testing

/// Against Foundation's parser, and against garbage.
struct NativeJSONPropertyTests {
    private static let seeds = [
        #"{"level":1.25,"battery":3.6}"#,
        #"{"ts":1655802960000,"values":{"level":1.25,"x":true},"quality":{"level":1},"method":{"level":"manual"}}"#,
        #"[{"ts":"2022-06-21T16:56:00+08:00","values":{"a\u0041":-1e-3}},{"b":null}]"#,
        #"{"a":[1,{"b":"c\\"}],"d":"\ud83d\ude00","e":NaN}"#,
    ]

    @Test func readsTheKeysThatFoundationReadsAndTheNumbersThatSwiftReads() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            // Foundation rounds long decimals wrongly, so the numbers are held to the standard library.
            var expected: [Double] = []
            var members: [String] = []
            for index in 0..<Int.random(in: 1...30, using: &random) {
                let key = ["k", "水", "a\\n", "\\u00e9", "x.y"].randomElement(using: &random) ?? "k"
                let value = ["true", "false", randomDecimal(&random)].randomElement(using: &random) ?? "1"
                let space = [" ", "", "\n\t", "  "].randomElement(using: &random) ?? ""
                members.append("\"\(key)#\(index)\"\(space):\(space)\(value)")
                expected.append(value == "true" ? 1 : value == "false" ? 0 : try #require(Double(value)))
            }
            let text = "{" + members.joined(separator: ",") + "}"
            let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: NSNumber])
            let message = decode(text)
            #expect(message.refusals.isEmpty)
            #expect(Set(message.readings.map(\.key)) == Set(object.keys), "seed \(seed)")
            for reading in message.readings {
                let index = try #require(reading.key.split(separator: "#").last.flatMap { Int($0) })
                #expect(reading.value == expected[index], "seed \(seed): \(text)")
            }
        }
    }

    /// Whatever the bytes are, each decode ends, and what is accepted whole is JSON.
    @Test func survivesMutations() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<30_000 {
            var bytes = Array((Self.seeds.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) { mutate(&bytes, &random) }
            let message = decode(bytes)
            #expect(!message.readings.isEmpty || !message.refusals.isEmpty, "seed \(seed): \(bytes)")
            #expect(message.readings.allSatisfy { $0.value.isFinite }, "seed \(seed): \(bytes)")
            // In texts that are passed over UTF-8 is not checked.
            if message.refusals.isEmpty, String(validating: bytes, as: UTF8.self) != nil {
                let object = try? JSONSerialization.jsonObject(with: Data(bytes))
                #expect(object != nil, "seed \(seed): accepted \(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let index = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
        case 1: if index < bytes.count { bytes.remove(at: index) }
        case 2: if index < bytes.count { bytes[index] = UInt8.random(in: 0...255, using: &random) }
        case 3: bytes.removeSubrange(index...)
        default: bytes.insert(contentsOf: Array(#"{}[]",:\ute-0"#.utf8).shuffled(using: &random).prefix(3), at: index)
        }
    }
}
