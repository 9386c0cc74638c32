// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import StrictYAML
import Telemetry
import TestSupport
import Testing

/// Files that were damaged at random are refused or read; nothing traps.
struct DamagedFilesTests {
    private static let scraps = [
        "\"", "'", ";", ",", ":", "-", "\n", "\r\n", "{", "}", "[", "]", "~", "&a", "*a", "9e999", "-0", ".nan", "é",
        "\u{FEFF}",
        "  ", "\t", "2020-02-30", "site:", "0x10", "99999999999999999999", "!!int x", "<<", "|", "#",
    ]

    private func damaged(_ text: String, _ random: inout SeededGenerator) -> String {
        var characters = Array(text)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0...characters.count, using: &random)
            let scrap = Array(Self.scraps.randomElement(using: &random) ?? "")
            let end = min(characters.count, place + Int.random(in: 0...6, using: &random))
            characters.replaceSubrange(place..<end, with: scrap)
        }
        return String(characters)
    }

    @Test(arguments: [
        "sites/poyang/xingzi.yaml", "sites/demo/usgs-01581752.yaml", "models/usgs/nwis-stream.yaml",
        "areas/poyang/xingzi-lakeshore.yaml",
    ])
    func yaml(path: String) throws {
        let seed: UInt64 = 20_220_906
        var random = SeededGenerator(seed: seed)
        let data = try #require(FileManager.default.contents(atPath: Fixture.devicesDirectory + "/" + path))
        let text = String(decoding: data, as: UTF8.self)
        for round in 0..<150 {
            let source = SourceText(path: "Devices/" + path, text: self.damaged(text, &random))
            do {
                _ = try CatalogFiles.parse([source])
            } catch let error as ProblemList {
                #expect(!error.problems.isEmpty, "seed \(seed), round \(round)")
                Fixture.expectChinese(error.problems)
            }
        }
    }

    /// Whatever the text, each row has a verdict, an error says why, and only rows without one are registered.
    @Test func csv() throws {
        let seed: UInt64 = 20_200_712
        var random = SeededGenerator(seed: seed)
        let catalog = try Catalog(files: CatalogFiles.load(directory: Fixture.devicesDirectory))
        let text = """
            device_id,model,site_id,site_name,kind,latitude,longitude,interval,name
            a,generic/json,new,"a ""new"" one",pond,29,116,5m,x
            b,generic/json,xingzi,,,,,,
            """
        for round in 0..<1000 {
            let plan = DeviceImport(csv: self.damaged(text, &random), catalog: catalog)
            for row in plan.rows {
                #expect((row.verdict == .error) == !row.problems.isEmpty, "seed \(seed), round \(round)")
            }
            let accepted = Set(plan.rows.filter { $0.verdict != .error }.map(\.device))
            #expect(plan.devices.allSatisfy { accepted.contains($0.id) }, "seed \(seed), round \(round)")
            let registered = CatalogRegistrations(sites: plan.sites, devices: plan.devices)
            let files = try? Catalog(files: .none, registered: registered)
            #expect(files != nil || plan.devices.contains { $0.site == "xingzi" }, "seed \(seed), round \(round)")
        }
    }
}
