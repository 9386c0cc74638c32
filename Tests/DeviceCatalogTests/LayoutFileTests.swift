// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry
import Testing

@testable import DeviceCatalog

/// What a model's file says under `payload`, and what is wrong with it.
struct LayoutFileTests {
    private func load(_ payload: String) throws -> PayloadLayout {
        let indented = payload.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }
        let text =
            "channels:\n  water_level_meters: { key: level }\n  battery_volts: { key: battery }\npayload:\n"
            + indented.joined(separator: "\n")
        let files = try CatalogFiles.parse([SourceText(path: "Devices/models/acme/probe.yaml", text: text)])
        return try #require(files.models["acme/probe"]?.payload)
    }

    private func problems(_ payload: String) -> [String] {
        do {
            _ = try self.load(payload)
            return []
        } catch let list as ProblemList {
            Fixture.expectChinese(list.problems)
            return list.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func aFixedFrameIsCompiledToAFlatForm() throws {
        let layout = try self.load(
            """
            form: fixed
            ports: [2, 4]
            ignore_ports: 5
            frames:
              - port: 2
                when: { at: -1, type: u8, bits: 7, equals: 0 }
                fields:
                  - { key: battery, type: u16, bits: [0, 13], scale: 0.001 }
                  - { key: level, type: s16, endian: little, scale: 1/16, offset: -1.5, missing: [0x7FFF, -1] }
            """
        )
        #expect(layout.ports == [2, 4] && layout.ignoredPorts == [5])
        #expect(layout.blocks.map(\.length) == [4])
        #expect(layout.fields.map(\.number.at) == [0, 2])
        #expect(layout.fields.map(\.number.order) == [.big, .little])
        #expect(layout.fields.map(\.multiplier) == [1, 1] && layout.fields.map(\.divisor) == [1000, 16])
        #expect(layout.missing == [32767, -1] && layout.fields[1].missing == 0..<2)
        #expect(layout.allConditions.map(\.number.shift) == [7] && layout.allConditions.map(\.number.at) == [-1])
    }

    @Test func itemsSayTheirLengthByTheirFields() throws {
        let layout = try self.load(
            """
            form: tagged
            items:
              - { id: 1, type: 0x75, fields: [{ key: battery, type: u8 }] }
              - { id: 0x20, type: 0xCE, time: { at: 0, type: u32 }, fields: [{ key: level, at: 4, type: u16 }] }
              - { id: 0xFF, type: any, length: rest }
            """
        )
        #expect(layout.blocks.map(\.length) == [1, 6, -1])
        #expect(layout.blocks.map(\.type) == [0x75, 0xCE, PayloadLayout.anyType])
    }

    /// Each with line and column in `Devices/models/acme/probe.yaml`, whose `payload:` is line 4.
    @Test(arguments: [
        ("form: fluid", "5:9: 'fluid' is no form; it is one of fixed, tagged, flagged"),
        ("frames: []", "'form' is missing"),
        ("form: fixed\nitems: []\nframes: []", "6:10: 'items' does not belong to the form 'fixed', which has 'frames'"),
        ("form: fixed\nframes: []", "6:11: the list is empty"),
        ("form: fixed\nframes: [{ fields: [{ key: levl, type: u8 }] }]", "no channel of the model has the key 'levl'"),
        ("form: fixed\nframes: [{ fields: [{ key: level, type: u12 }] }]", "'u12' is no type; there are bcd16"),
        ("form: fixed\nframes: [{ fields: [{ key: level, type: u8, bits: [0, 8] }] }]", "'u8' has the bits 0 to 7"),
        ("form: fixed\nframes: [{ fields: [{ key: level, type: u8, scale: 0 }] }]", "a scale is a number other than 0"),
        ("form: fixed\nframes: [{ fields: [{ key: level, type: u8, size: 2 }] }]", "unknown key 'size'"),
        ("form: fixed\nframes: [{ length: 1, fields: [{ key: level, type: u16 }] }]", "the fields need 2 bytes"),
        ("form: fixed\nframes: [{ when: { at: 0, type: u8 }, fields: [] }]", "a condition has one of"),
        ("form: fixed\nports: [300]\nframes: [{ fields: [{ key: level, type: u8 }] }]", "a port is a whole number"),
        (
            "form: fixed\nports: [2]\nignore_ports: [2]\nframes: [{ fields: [{ key: level, type: u8 }] }]",
            "port 2 is among"
        ),
        ("form: fixed\nflags: { at: 0, type: u8 }\nframes: [{ fields: [{ key: level, type: u8 }] }]", "'flags' belong"),
        ("form: tagged\nitems: [{ id: 1 }]", "'length' is missing"),
        ("form: tagged\nitems: [{ id: 256, length: 1 }]", "id is a whole number from 0 to 255"),
        ("form: tagged\nitems: [{ id: 1, length: 1 }, { id: 1, length: 2 }]", "a second one of the same id and type"),
        ("form: tagged\nitems: [{ id: 1, type: 2, length: 1 }, { id: 3, length: 2 }]", "some items have a type"),
        ("form: flagged\nblocks: [{ bit: 0, length: 1 }]", "'flags' is missing"),
        (
            "form: flagged\nflags: { at: 0, type: u8 }\nstart: 1\nblocks: [{ bit: 32, length: 1 }]",
            "bit is a whole number"
        ),
        ("form: fixed\nendian: middle\nframes: [{ fields: [{ key: level, type: u8 }] }]", "'middle' is no endian"),
        ("form: fixed\nframes: [{ fields: [{ key: level, at: -1, type: u16 }] }]", "2 bytes do not fit behind byte -1"),
        (
            "form: fixed\nframes: [{ fields: [{ key: level, type: u24, endian: big-low-word-first }] }]",
            "words of 16 bits"
        ),
    ])
    func whatIsWrongIsNamedWithItsPlace(payload: String, words: String) {
        let found = self.problems(payload)
        #expect(found.contains { $0.contains(words) }, "\(found)")
        #expect(found.allSatisfy { $0.hasPrefix("Devices/models/acme/probe.yaml:") })
    }

    @Test func examplesAreReadWithTheirPlace() throws {
        let model = SourceText(
            path: "Devices/models/acme/probe.yaml",
            text: "channels: { water_level_meters: { key: level } }\npayload: { form: fixed, frames: [{ fields: "
                + "[{ key: level, type: u8 }] }] }"
        )
        let examples = SourceText(
            path: "Devices/models/acme/probe.examples.yaml",
            text: "- { name: one, source: manual, port: 2, frame: \"01 02\", expect: { level: 1 } }\n"
                + "- { name: two, source: manual, frame: \"\", refused: malformed }"
        )
        let files = try CatalogFiles.parse([model, examples])
        #expect(files.examples.map(\.bytes) == [[1, 2], []])
        #expect(files.examples.map(\.line) == [1, 2])
        #expect(files.examples[0].expected == ["level": [1]] && files.examples[1].refused == .malformed)
    }

    @Test(arguments: [
        ("- { name: one, frame: \"01\", expect: { level: 1 } }", "'source' is missing"),
        ("- { name: one, source: x, frame: \"0\", expect: { level: 1 } }", "pairs of hexadecimal digits"),
        ("- { name: one, source: x, frame: \"01\" }", "say what it means"),
        ("- { name: one, source: x, frame: \"01\", refused: bad }", "'bad' is no reason"),
        ("- { name: one, source: x, frame: \"01\", expect: {} }", "there is no model 'acme/probe' for this example"),
    ])
    func whatIsWrongWithAnExampleIsNamed(text: String, words: String) {
        let source = SourceText(path: "Devices/models/acme/probe.examples.yaml", text: text)
        let list = #expect(throws: ProblemList.self) { try CatalogFiles.parse([source]) }
        #expect(list?.description.contains("probe.examples.yaml:1:3: ") == true || list?.problems.first?.line == 1)
        #expect(list?.description.contains(words) == true)
    }

    @Test func aVersionHasPartsThatStandOneBehindTheOther() throws {
        let layout = try self.load(
            """
            form: tagged
            items:
              - { id: 0xFF, type: 0x0A, firmware: { radix: 16, parts: [{ type: u8 }, { type: u8 }] } }
              - { id: 0x01, type: 0x75, fields: [{ key: battery, type: u8 }] }
            """
        )
        #expect(layout.blocks.map(\.length) == [2, 1])
        #expect(layout.blocks.map(\.version) == [0..<2, 0..<0] && layout.blocks.map(\.versionRadix) == [16, 10])
        #expect(layout.versionParts.map(\.at) == [0, 1])
    }

    @Test(arguments: [
        ("{ radix: 16 }", "'parts' is missing"), ("{ parts: [] }", "a version has 1 to 8 parts"),
        ("{ parts: [{ type: f32 }] }", "a part of a version is of a type such as u8 or u16"),
        ("{ parts: [{ type: u8 }], radix: 99 }", "radix is a whole number from 2 to 16"),
        ("{ parts: [{ type: u8 }], prefix: v }", "prefix"),
    ])
    func saysWhatIsWrongWithAVersion(version: String, message: String) {
        let problems = self.problems("form: fixed\nframes: [{ length: 3, firmware: \(version) }]")
        #expect(problems.contains { $0.contains(message) && $0.contains("probe.yaml:6:") }, "\(problems)")
    }
}
