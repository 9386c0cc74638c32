// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

/// `qc:` in the files of models and sites.
struct QualityFilesTests {
    private static func files(model: String = "{ spike: 0.3 }", site: String = "{}") -> [String: String] {
        [
            "models/acme/level.yaml": """
            channels:
              water_level_meters: { key: level, unit: ft, zero: site, qc: \(model) }
              water_temperature_celsius: { key: temp, qc: default }
            report: { every: 5m }
            """,
            "sites/lake/xingzi.yaml": """
            site: xingzi
            name: 星子
            kind: lake
            qc: \(site)
            devices: [{ id: xingzi-1, model: acme/level, zero_elevation_m: 10 }]
            """,
        ]
    }

    private static func plan(model: String = "{ spike: 0.3 }", site: String = "{}") throws -> QualityPlan? {
        try Fixture.catalog(self.files(model: model, site: site))
            .qualityPlan(of: Labels(metric: "water_level_meters", ["site": "xingzi"]))
    }

    @Test func aModelsParametersAreMadeCanonical() throws {
        let plan = try Self.plan(
            model:
                "{ rate_of_change: { limit: 10, per: 5m }, spike: 1, flat_line: { for: 12h, tolerance: 0.1 }, gap: 1h }"
        )
        let parameters = try #require(plan?.parameters)
        #expect(parameters.rateOfChange == .init(limit: 3.048, span: 5 * .minute, confirmation: .hour))
        #expect(parameters.spike == 0.3048)
        #expect(parameters.flatLine?.duration == 12 * .hour)
        #expect(abs((parameters.flatLine?.tolerance ?? 0) - 0.03048) < 1e-12)
        #expect(parameters.gap == .hour)
    }

    @Test func aSiteReplacesTestsOfItsModels() throws {
        let plan = try Self.plan(
            model: "{ spike: 1, gap: 1h }",
            site: "{ water_level_meters: { gap: off, gross_range: { min: 5, max: 23 } } }"
        )
        let parameters = try #require(plan?.parameters)
        #expect(parameters.spike == 0.3048)
        #expect(parameters.gap == nil)
        #expect(parameters.grossRange == 5...23)
    }

    @Test func aSiteCanTurnAllTestsOff() throws {
        #expect(try Self.plan(site: "{ water_level_meters: off }") == nil)
    }

    @Test func aModelWithoutTestsIsTestedWhereTheSiteSaysSo() throws {
        let files = [
            "sites/g/pond.yaml": """
            site: pond
            name: 塘
            kind: pond
            qc: { ph: { gross_range: { min: 5 } } }
            devices: [{ id: pond-1, model: generic/json }]
            """
        ]
        let catalog = try Fixture.catalog(files)
        #expect(catalog.qualityPlan(of: Labels(metric: "ph", ["site": "pond"]))?.parameters.grossRange == 5...14)
        #expect(catalog.qualityPlan(of: Labels(metric: "turbidity_ntu", ["site": "pond"])) == nil)
        var resolved: [ResolvedReading] = []
        let readings = [("ph", 4.0), ("ph", 15), ("turbidity_ntu", 4)].map { Reading(key: $0.0, value: $0.1) }
        _ = CatalogResolver(catalog: catalog)
            .resolve(device: "pond-1", readings: readings, receivedAt: Fixture.now, into: &resolved)
        #expect(QualityStateTests.text(resolved.map(\.sample.mark)) == "rX-")
    }

    @Test func defaultsAreThoseOfTheMetric() throws {
        let catalog = try Fixture.catalog(Self.files())
        let plan = catalog.qualityPlan(of: Labels(metric: "water_temperature_celsius", ["site": "xingzi"]))
        #expect(plan?.parameters == QualityDefaults.parameters(of: "water_temperature_celsius"))
        #expect(plan != nil)
    }

    @Test(arguments: [
        ("{ spyke: 1 }", "2:65: unknown key 'spyke'; did you mean 'spike'?"),
        ("{ spike: 0 }", "2:72: spike is 0.0; it must be above 0"),
        ("{ spike: high }", "2:72: expected a number, found 'high'"),
        (
            "{ gap: soon }",
            "2:70: 'soon' is no duration; write it like 5m, 1h30m or 1d, longer than zero and at most 366d"
        ),
        ("{ rate_of_change: { limit: 1 } }", "2:81: 'per' is missing"),
        ("{ flat_line: { tolerance: 1 } }", "2:76: 'for' is missing"),
        ("{ flat_line: { for: 1h, tolerance: -1 } }", "2:98: tolerance is -1.0; it must be from 0.0 to 1000000.0"),
        (
            "{ gross_range: { max: 9 } }",
            "2:78: 'gross_range' of a level above a datum is the site's matter: give it in the site's file, under qc: "
                + "{ water_level_meters: … }"
        ),
        ("yes", "2:63: 'qc' is a mapping of tests, or 'default'"),
        ("{ neighbour: { sites: [hukou], tolerance: 1 } }", "2:65: unknown key 'neighbour'; known here: climatology"),
    ])
    func errorsOfAModelSayWhereAndWhat(qc: String, expected: String) {
        let problems = Fixture.problems(Self.files(model: qc))
        #expect(problems.contains { $0.hasPrefix("models/acme/level.yaml:" + expected) }, "\(problems)")
    }

    @Test(arguments: [
        ("{ water_levels: off }", "4:7: 'water_levels' is no metric name"),
        ("{ ph: { gross_range: { min: 9, max: 5 } } }", "4:33: min is not below max"),
        ("{ ph: { gross_range: {} } }", "4:26: give 'min', 'max' or both: what is outside is suspect"),
        (
            "{ ph: { gross_range: { max: 15 } } }",
            "4:33: max 15.0  is not physically possible for ph; possible is 0.0 to 14.0"
        ),
        ("{ ph: { climatology: [{ months: [13], min: 5 }] } }", "4:38: 13 is no month; they are 1 to 12"),
        (
            "{ ph: { climatology: [{ months: [6], min: 5 }, { months: [6], min: 4 }] } }",
            "4:63: month 6 has a range already; each has one"
        ),
        (
            "{ ph: { neighbour: { sites: [xingzi], tolerance: 1 } } }",
            "4:34: 'xingzi' is the site itself; name others"
        ),
        (
            "{ ph: { neighbour: { sites: [hukou], tolerance: 1 } } }",
            "4:34: there is no site 'hukou'"
        ),
        (
            "{ ph: { identical: { sites: [hukou], changes: 2 } } }",
            "4:51: changes is 2; fewer than 3 equal changes in a row happen by chance"
        ),
        ("{ ph: { neighbour: { sites: [], tolerance: 1 } } }", "4:33: name at least one other site"),
    ])
    func errorsOfASiteSayWhereAndWhat(qc: String, expected: String) {
        let problems = Fixture.problems(Self.files(site: qc))
        #expect(problems.contains { $0.hasPrefix("sites/lake/xingzi.yaml:" + expected) }, "\(problems)")
    }
}
