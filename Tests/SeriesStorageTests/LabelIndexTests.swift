// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import SeriesStorage

struct LabelIndexTests {
    // MARK: Against a plain filter

    @Test(arguments: [UInt64.random(in: 0...UInt64.max), 1, 2, 3])
    func answersLikeAPlainFilter(seed: UInt64) {
        print("label index seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let index = LabelIndex()
        var known: [Labels] = []
        var numbers: [Labels: UInt32] = [:]
        for round in 0..<12 {
            for _ in 0..<[1, 5, 40, 250][round % 4] {
                // Later rounds take few values, so that their lists grow long.
                let labels = LabelGenerator.labels(&random, values: round < 6 ? 20 : 4)
                let id = index.insert(labels)
                if let number = numbers[labels] {
                    #expect(id.rawValue == number)
                } else {
                    // With the bytes that the index kept, on which a prefix depends.
                    known.append(index.labels(of: id))
                    #expect(known.last == labels)
                    #expect(id.rawValue == UInt32(known.count))
                    numbers[labels] = id.rawValue
                }
            }
            for _ in 0..<100 {
                let matchers = (0..<Int.random(in: 0...3, using: &random)).map { _ in LabelGenerator.matcher(&random) }
                let limit = UInt32.random(in: 0...UInt32(known.count + 3), using: &random)
                let expected = known.indices
                    .filter { $0 < limit && matchers.allSatisfy { [labels = known[$0]] in $0.matches(labels) } }
                    .map { UInt32($0 + 1) }
                let found = index.matching(matchers, below: SeriesID(rawValue: limit)).map(\.rawValue)
                #expect(found == expected, "\(matchers) up to \(limit)")
            }
        }
        #expect(index.count == known.count)
        for (place, labels) in known.enumerated() {
            let id = SeriesID(rawValue: UInt32(place + 1))
            #expect(index.labels(of: id) == labels)
            #expect(index.id(of: labels) == id)
        }
        #expect(index.labelNames() == Set(known.flatMap { $0.map(\.name) }).sorted())
        for name in LabelGenerator.names {
            #expect(index.labelValues(of: name) == Set(known.compactMap { $0.value(of: name) }).sorted())
        }
    }

    @Test(arguments: [1, 2, 31, 33, 1000, 20_000])
    func answersForManySeriesOfOneValue(count: Int) {
        let index = LabelIndex()
        for number in 0..<count {
            index.insert(["__name__": "m", "parity": number % 2 == 0 ? "even" : "odd", "site": "s\(number)"])
        }
        let all = (1...UInt32(count)).map { SeriesID(rawValue: $0) }
        let whole = LabelMatcher("__name__", equals: "m")
        let sites = LabelMatcher(name: "site", operation: .matches, value: "s\\d*7", pattern: { $0.hasSuffix("7") })
        for limit in [0, 1, 3, 10, 25, 56, 119, 1020, 2043, 9000, count - 1, count, count + 1] where limit >= 0 {
            let last = SeriesID(rawValue: UInt32(limit))
            let seen = all.prefix(limit)
            #expect(index.matching([whole], below: last) == Array(seen))
            #expect(index.matching([], below: last) == Array(seen))
            let odd = seen.filter { $0.rawValue % 2 == 0 }
            #expect(index.matching([LabelMatcher("parity", equals: "odd"), whole], below: last) == odd)
            let sevens = seen.filter { ($0.rawValue - 1) % 10 == 7 }
            #expect(index.matching([sites], below: last) == sevens)
            #expect(index.matching([sites, LabelMatcher("parity", equals: "odd")], below: last) == sevens)
            #expect(index.matching([sites, LabelMatcher("parity", equals: "even")], below: last).isEmpty)
        }
    }

    /// What Prometheus says of a label that is not there: it has the empty value.
    @Test(arguments: [
        (LabelMatcher("a", equals: ""), [2]),
        (LabelMatcher(name: "a", operation: .notEqual, value: "", pattern: nil), [1]),
        (LabelMatcher(name: "a", operation: .notEqual, value: "y", pattern: nil), [1, 2]),
        (LabelMatcher(name: "a", operation: .matches, value: ".*", pattern: { _ in true }), [1, 2]),
        (LabelMatcher(name: "a", operation: .matches, value: ".+", pattern: { !$0.isEmpty }), [1]),
        (LabelMatcher(name: "a", operation: .notMatches, value: ".+", pattern: { !$0.isEmpty }), [2]),
        (LabelMatcher(name: "a", operation: .notMatches, value: ".*", pattern: { _ in true }), []),
        (LabelMatcher(name: "a", operation: .matches, value: "x|", pattern: { ["x", ""].contains($0) }), [1, 2]),
        (LabelMatcher(name: "a", operation: .notMatches, value: "y|", pattern: { ["y", ""].contains($0) }), [1]),
        (LabelMatcher(name: "b", operation: .notMatches, value: "y|", pattern: { ["y", ""].contains($0) }), []),
        (LabelMatcher("b", equals: ""), [1, 2]),
        (LabelMatcher("b", equals: "x"), []),
    ])
    func takesAMissingLabelForAnEmptyOne(matcher: LabelMatcher, expected: [UInt32]) {
        let index = LabelIndex()
        index.insert(["a": "x"])
        index.insert([:])
        #expect(index.matching([matcher], below: SeriesID(rawValue: 9)).map(\.rawValue) == expected)
    }

    /// The catalogue makes matchers whose text only looks like an expression; then what they answer counts.
    @Test func asksTheExpressionAboutItsAlternatives() {
        let index = LabelIndex()
        for site in ["x", "y", "z"] { index.insert(["site": site]) }
        let matcher = LabelMatcher(name: "site", operation: .matches, value: "x|y", pattern: { $0 == "x" })
        #expect(index.matching([matcher], below: SeriesID(rawValue: 3)).map(\.rawValue) == [1])
        let other = LabelMatcher(name: "site", operation: .notMatches, value: "x|y", pattern: { $0 == "x" })
        #expect(index.matching([other], below: SeriesID(rawValue: 3)).map(\.rawValue) == [2, 3])
    }

    @Test func asksAnExpressionOncePerValue() {
        let index = LabelIndex()
        for number in 0..<1000 { index.insert(["county": "c\(number % 10)", "site": "\(number)"]) }
        let asked = Mutex<[String: Int]>([:])
        let matcher = LabelMatcher(name: "county", operation: .notMatches, value: "c[1-3]?") { text in
            asked.withLock { $0[text, default: 0] += 1 }
            return ["c", "c1", "c2", "c3"].contains(text)
        }
        #expect(index.matching([matcher], below: SeriesID(rawValue: 1000)).count == 700)
        #expect(
            asked.withLock { $0.filter { !$0.key.isEmpty } }
                == [String: Int](
                    uniqueKeysWithValues: (0..<10).map { ("c\($0)", 1) }
                )
        )
    }

    // MARK: Texts

    /// Swift holds texts for equal that differ in their bytes, and labels are compared so everywhere else.
    @Test func holdsForOneTextWhatSwiftDoes() {
        let ascii = Set((0x20..<0x7F).map { String(UnicodeScalar(UInt8($0))) })
        let index = LabelIndex()
        for text in ascii { index.insert(["a": text]) }
        var others = 0
        for value in UInt32(0x80)...0x2FFFF {
            guard let scalar = Unicode.Scalar(value), ascii.contains(String(scalar)) else { continue }
            others += 1
            #expect(index.insert(["a": String(scalar)]) == index.id(of: ["a": String(scalar)]))
        }
        #expect(others == 3)
        #expect(index.count == ascii.count)
        let composed = index.insert(["\u{E9}": "caf\u{E9}"])
        #expect(index.insert(["e\u{301}": "cafe\u{301}"]) == composed)
        #expect(index.matching([LabelMatcher("e\u{301}", equals: "cafe\u{301}")], below: composed) == [composed])
    }

    @Test func keepsTextsLongerThanAChunk() {
        let index = LabelIndex()
        let sizes = [1, 200_000, 3, 262_144, 262_145, 900_000, 7]
        let values = sizes.map { size in String(repeating: "\(size)-", count: size).prefix(size).description }
        for value in values { index.insert(["a": value]) }
        for (place, value) in values.enumerated() {
            #expect(index.labels(of: SeriesID(rawValue: UInt32(place + 1)))["a"] == value)
        }
        let wide = Labels(sorted: (100_000..<180_000).map { Label(name: "\($0)", value: "v") })
        let id = index.insert(wide)
        #expect(index.labels(of: id) == wide)
        #expect(index.matching([LabelMatcher("179999", equals: "v")], below: id) == [id])
    }

    @Test(arguments: [
        (".*", PatternShape.anything), (".+", .nonEmpty), ("", .literals([""])), ("a", .literals(["a"])),
        ("a|b|", .literals(["a", "b", ""])), ("a\\.b|c\\|d", .literals(["a.b", "c|d"])),
        ("abc.*", .prefix("abc", more: 0)), ("a\\*.+", .prefix("a*", more: 1)), ("星子.*", .prefix("星子", more: 0)),
        ("a.", .opaque), ("a.b", .opaque), (".*a", .opaque), ("a|b.*", .opaque), ("(a|b)", .opaque), ("a.*|b", .opaque),
        ("\\d", .opaque), ("a\\", .opaque), ("(?i)a", .opaque), ("^a$", .opaque), ("ab*", .opaque), ("a.?", .opaque),
        ("a{2}", .opaque), ("[a]", .opaque), ("a..*", .opaque), (".*.*", .opaque), (".**", .opaque),
    ])
    func seesTheShapeOfAPattern(text: String, shape: PatternShape) {
        #expect(PatternShape(pattern: text) == shape)
    }

    // MARK: Stored form

    @Test func readsAndWritesTheStoredForm() throws {
        var random = SeededGenerator(seed: 7)
        let index = LabelIndex()
        let again = LabelIndex()
        for _ in 0..<500 {
            let labels = LabelGenerator.labels(&random)
            let id = index.insert(labels)
            #expect(try LabelsCodec.decode(index.packedLabels(of: id)) == labels)
            #expect(try again.insert(packed: LabelsCodec.encode(labels)) == id)
            #expect(again.labels(of: id) == labels)
        }
        #expect(again.count == index.count)
    }

    /// Damaged bytes are refused where the codec refuses them, and read the same where it does not.
    @Test func refusesDamagedBytes() {
        var random = SeededGenerator(seed: 8)
        let index = LabelIndex()
        for _ in 0..<5000 {
            var bytes = LabelsCodec.encode(LabelGenerator.shortLabels(&random))
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...1, using: &random))
            let before = index.count
            if let labels = try? LabelsCodec.decode(bytes) {
                let id = try? index.insert(packed: bytes)
                #expect(id.map { index.labels(of: $0) } == Labels(sorted: labels.filter { !$0.value.isEmpty }))
            } else {
                #expect(throws: DamagedBytes.self) { try index.insert(packed: bytes) }
                #expect(index.count == before)
            }
        }
    }

    @Test func saysNothingOfNumbersNeverGiven() {
        let index = LabelIndex()
        index.insert(["a": "x"])
        for number: UInt32 in [0, 2, .max] {
            let id = SeriesID(rawValue: number)
            #expect(index.labels(of: id) == .empty)
            #expect(index.packedLabels(of: id) == [0])
        }
    }

    // MARK: Threads

    @Test(.timeLimit(.minutes(1))) func answersWhileSeriesAreAdded() {
        let index = LabelIndex()
        let perWriter = 3000
        let writers = 3
        let failures = Mutex<[String]>([])
        let even = LabelMatcher(name: "site", operation: .matches, value: "s\\d*[02468]") { text in
            text.utf8.last.map { $0 % 2 == 0 } ?? false
        }
        let metric = LabelMatcher("__name__", equals: "m1")
        let done = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: writers + 2) { thread in
            if thread < writers {
                for number in 0..<perWriter {
                    // Every series by two writers, to one number.
                    let labels: Labels = ["__name__": "m\(number % 3)", "site": "s\((thread / 2) * 10_000 + number)"]
                    let id = index.insert(labels)
                    if index.labels(of: id) != labels || index.id(of: labels) != id {
                        failures.withLock { $0.append("\(labels) is not \(id)") }
                    }
                }
                done.add(1, ordering: .sequentiallyConsistent)
                return
            }
            while done.load(ordering: .sequentiallyConsistent) < writers {
                let limit = SeriesID(rawValue: UInt32(index.count))
                let found = index.matching([metric, even], below: limit).map(\.rawValue)
                let expected = (0..<limit.rawValue).map { $0 + 1 }
                    .filter { number in
                        let labels = index.labels(of: SeriesID(rawValue: number))
                        return metric.matches(labels) && even.matches(labels)
                    }
                if found != expected { failures.withLock { $0.append("\(found.count) not \(expected.count)") } }
            }
        }
        #expect(failures.withLock { $0 }.isEmpty)
        #expect(index.count == 2 * perWriter)
    }
}

/// Labels and conditions at random, of few texts, so that they meet.
private enum LabelGenerator {
    static let names = ["__name__", "a", "site", "\u{E9}", "e\u{301}", "站"]
    private static let values = [
        "a", "b", "ab", "abc", "abd", "x.y", "x|y", "K", "\u{212A}", "\u{E9}", "e\u{301}", "星子", "星子站", "\n", "ab\n",
        "a b",
        String(repeating: "long", count: 40), "12345678", "123456789", "1234567890123456",
    ]

    static func labels(_ random: inout SeededGenerator, values: Int = 20) -> Labels {
        var labels = Labels.empty
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let isOwn = Int.random(in: 0..<4, using: &random) == 0
            labels[self.name(&random)] =
                isOwn ? "u\(Int.random(in: 0..<10_000, using: &random))" : self.value(&random, of: values)
        }
        return labels
    }

    static func shortLabels(_ random: inout SeededGenerator) -> Labels {
        Labels([
            Label(name: ["a", "b", "é"][Int.random(in: 0..<3, using: &random)], value: "v"),
            Label(name: "site", value: "s\(Int.random(in: 0..<50, using: &random))"),
        ])
    }

    private static func name(_ random: inout SeededGenerator) -> String {
        self.names[Int.random(in: 0..<self.names.count, using: &random)]
    }

    private static func value(_ random: inout SeededGenerator, of count: Int = 20) -> String {
        self.values[Int.random(in: 0..<count, using: &random)]
    }

    static func matcher(_ random: inout SeededGenerator) -> LabelMatcher {
        let isMissing = Int.random(in: 0..<20, using: &random) == 0
        let name = isMissing ? "nowhere" : self.name(&random)
        let isPositive = Int.random(in: 0..<3, using: &random) > 0
        guard Bool.random(using: &random) else {
            let value = Int.random(in: 0..<5, using: &random) == 0 ? "" : self.value(&random)
            return LabelMatcher(name: name, operation: isPositive ? .equal : .notEqual, value: value, pattern: nil)
        }
        let (text, pattern) = self.expression(&random)
        return LabelMatcher(name: name, operation: isPositive ? .matches : .notMatches, value: text, pattern: pattern)
    }

    private static func expression(_ random: inout SeededGenerator) -> (String, (@Sendable (String) -> Bool)?) {
        let value = self.value(&random)
        let quoted = value.replacingOccurrences(of: ".", with: "\\.").replacingOccurrences(of: "|", with: "\\|")
        switch Int.random(in: 0..<9, using: &random) {
        case 0: return (".*", { _ in true })
        case 1: return (".+", { !$0.isEmpty })
        case 2: return (quoted + ".*", { $0.utf8.starts(with: value.utf8) })
        case 3: return (quoted + ".+", { $0.utf8.starts(with: value.utf8) && $0.utf8.count > value.utf8.count })
        case 4: return ("(.*a.*)?", { $0.isEmpty || $0.utf8.contains(UInt8(ascii: "a")) })
        case 5: return (".*[0-4]", { ($0.utf8.last ?? 0) >= 0x30 && ($0.utf8.last ?? 0) <= 0x34 })
        case 6: return ("u[0-9]+", { $0.utf8.first == UInt8(ascii: "u") })
        case 7: return (value, nil)
        default:
            let others = (0..<Int.random(in: 0...3, using: &random))
                .map { _ in ["", "ab", "u77", "b"].randomElement(using: &random) ?? "" }
            let texts = [value] + others
            return (([quoted] + others).joined(separator: "|"), { texts.contains($0) })
        }
    }
}
