// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

struct CatalogPlanTests {
    private static func files(_ level: String, devices: String, extra: [String: String] = [:]) -> [String: String] {
        [
            "Devices/models/acme/level.yaml": "channels: { water_level_meters: { key: level } }\n",
            "Devices/sites/g/creek.yaml": """
            site: creek
            name: { zh: 溪, en: Creek }
            kind: river
            thresholds: [{ hazard: flood, level: blue, value: \(level), valid_from: 2020-01-01, authority: 水文局, source: 文 7, confidence: verified }]
            devices: [\(devices)]
            """,
        ]
        .merging(extra) { $1 }
    }

    private func plan(_ old: [String: String], _ new: [String: String]) throws -> [String] {
        CatalogPlan(from: try Fixture.catalog(old), to: try Fixture.catalog(new)).changes
            .map { "\($0.action.rawValue) \($0.kind) \($0.id): \($0.what)" }
    }

    @Test func readsLikeADiff() throws {
        let old = Self.files("1.5", devices: "{ id: a, model: acme/level }, { id: b, model: acme/level }")
        let pond = "site: pond\nname: { zh: 塘, en: Pond }\nkind: pond\n"
        let new = Self.files(
            "1.6",
            devices: "{ id: a, model: acme/level, interval: 5m, name: 雷达 }, { id: c, model: generic/json }",
            extra: ["Devices/sites/g/pond.yaml": pond]
        )
        #expect(
            try self.plan(old, new) == [
                "+ site pond: pond 塘",
                "~ threshold creek flood blue m from 2020-01-01: value: 1.5 m (水文局; 文 7; verified) → 1.6 m (水文局; 文 7; verified)",
                "~ device a: name: – → 雷达; interval: – → 5m", "- device b: acme/level at creek",
                "+ device c: generic/json at creek",
            ]
        )
        #expect(
            try self.plan(new, old).filter { $0.hasPrefix("-") } == [
                "- site pond: pond 塘", "- device c: generic/json at creek",
            ]
        )
        #expect(try self.plan(old, old).isEmpty)
    }
}
