// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import StrictYAML
import Telemetry
import Testing

@testable import poyang

/// Payloads from vendors' documents beside the models.
struct ModelExampleTests {
    @Test func everyShippedExampleDecodesToItsValues() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Devices").path
        let files = try CatalogFiles.load(directory: folder)
        #expect(ModelExampleCheck.problems(in: files).map(\.description) == [])
        let withLayout = files.models.values.filter { $0.payload != nil }
        #expect(withLayout.count >= 15)
        let bare = Set(withLayout.map(\.id)).subtracting(files.examples.map(\.model))
        #expect(bare == [])
    }

    @Test(arguments: [
        ("expect: { level: 2 }", "level is 1.0, expected 2.0", "level 为 1.0，应为 2.0"),
        ("expect: {}", "level is 1.0, expected not there", "level 为 1.0，应为空"),
        ("expect: { level: 1, battery: 3 }", "battery is not there, expected 3.0", "battery 为空，应为 3.0"),
        ("expect: { level: 1 }, firmware: \"1.0\"", "firmware is not there, expected 1.0", "firmware 为空，应为 1.0"),
        (
            "expect: { level: 1 }, refused: malformed", "it should be refused as malformed, and is read",
            "应以 malformed 拒收，却已读出"
        ),
    ])
    func whatDecodesToSomethingElseIsNamedWithItsPlace(claim: String, words: String, chinese: String) throws {
        let files = try CatalogFiles.parse([
            SourceText(
                path: "Devices/models/acme/probe.yaml",
                text: "channels: { water_level_meters: { key: level } }\npayload: { form: fixed, frames: [{ fields: "
                    + "[{ key: level, type: u8 }] }] }"
            ),
            SourceText(
                path: "Devices/models/acme/probe.examples.yaml",
                text: "- { name: one, source: manual, frame: \"01\", \(claim) }"
            ),
        ])
        let found = ModelExampleCheck.problems(in: files)
        let problems = found.map(\.description)
        #expect(problems.count == 1)
        #expect(found.first?.messageZh == "样例“one”：\(chinese)")
        #expect(problems.first?.hasPrefix("Devices/models/acme/probe.examples.yaml:1:3: example 'one': ") == true)
        #expect(problems.first?.contains(words) == true)
    }
}
