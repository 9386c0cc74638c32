// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import StrictYAML
import Telemetry
import TestSupport
import Testing

/// Every problem is reported with its place and what would be right.
struct CatalogFilesTests {
    private static let goodSite = """
        site: x
        name: { zh: 甲, en: X }
        kind: river

        """

    private static func site(_ rest: String) -> [String: String] {
        ["Devices/sites/g/x.yaml": self.goodSite + rest]
    }

    private static func model(_ channel: String) -> [String: String] {
        ["Devices/models/acme/level.yaml": "channels:\n  water_level_meters: " + channel + "\n"]
    }

    private static func threshold(_ fields: String) -> String {
        "  - { authority: a, source: s, confidence: c, \(fields) }\n"
    }

    /// The examples that outsiders were given.
    @Test func takesADeviceWithoutZeroElevationAsReportingInTheSitesDatum() throws {
        let catalog = try Fixture.catalog([
            "Devices/models/acme/level.yaml": """
            channels:
              water_level_meters:
                key: level            # in the payload
                unit: ft              # of the payload; converted
                min: -15
                max: 130
                zero: site            # adds the channel's zero_elevation
            report: { every: 5m }
            """,
            "Devices/sites/poyang/xingzi.yaml": """
            site: xingzi
            name: { zh: 星子, en: Xingzi }
            kind: lake
            org: poyang-flood-office
            basin: poyang
            admin_code: "360483"
            position: { lat: 29.45, lon: 116.05, confidence: approximate }
            datum: { name: wusong, offset_to_1985_m: -1.86, valid_from: 2000-01-01, source: "…" }
            thresholds:
              - { hazard: flood, level: blue, name: 警戒, value: 19.00, valid_from: 2000-01-01, authority: "…", source: "…", confidence: verified }
            devices:
              - { id: xingzi-1, model: acme/level, test: false }
            """,
        ])
        var resolved: [ResolvedReading] = []
        let refusals = CatalogResolver(catalog: catalog)
            .resolve(
                device: "xingzi-1",
                readings: [Reading(key: "level", value: 62.5)],
                receivedAt: Timestamp(milliseconds: 1_700_000_000_000),
                into: &resolved
            )
        #expect(refusals.isEmpty)
        #expect(resolved.map(\.sample.value) == [19.05])
    }

    @Test func takesAGoodSetOfFiles() throws {
        let catalog = try Fixture.catalog([
            "Devices/models/acme/level.yaml": """
            channels:
              water_level_meters: { key: level, unit: ft, min: -15, max: 130, zero: site }
              battery_volts: { key: bat, report: { every: 6h } }
              mains_power: { report: { event: true, heartbeat: 24h } }
              soil_moisture_percent:
                - { key: sm20, depth: 20cm }
                - { key: sm40, depth: 40cm }
            report: { every: 5m }
            """,
            "Devices/sites/g/x.yaml": Self.goodSite + """
                devices:
                  - { id: d1, model: acme/level, zero_elevation_m: 12.5, interval: 10m }
                  - { id: d2, model: generic/json, report: { event: true, heartbeat: 1h } }
                """,
            "Devices/areas/deep/er/a.yaml": "area: a\nname: 甲\nsites: [x]\n",
        ])
        let channels = catalog.registeredChannels(at: "x")
        #expect(channels.count == 5)
        let schedules = Dictionary(uniqueKeysWithValues: channels.map { ($0.series.labels.description, $0.schedule) })
        #expect(schedules[#"water_level_meters{site="x"}"#] == .periodic(10 * .minute))
        #expect(schedules[#"battery_volts{site="x"}"#] == .periodic(6 * .hour))
        #expect(schedules[#"mains_power{site="x"}"#] == .event(heartbeat: 24 * .hour))
        #expect(schedules[#"soil_moisture_percent{depth="20cm", site="x"}"#] == .periodic(10 * .minute))
        #expect(catalog.areas["a"]?.sites == ["x"])
        #expect(catalog.devices(at: "x").map(\.id) == ["d1", "d2"])
    }

    @Test(arguments: [
        ("{ unit: mm/x }", "3:10: unit 'mm/x' is not known; water_level_meters takes m, mm, cm, ft, in, km"),
        (
            "{ unit: V }",
            "2:30: unit 'V' does not fit water_level_meters, which is in m; it takes m, mm, cm, ft, in, km"
        ),
        ("{ unit: ft, max: 40000 }", "2:39: max 40000.0 ft is not physically possible for water_level_meters"),
        ("{ min: 5, max: 5 }", "2:29: min 5.0 is not below max 5.0"),
        ("{ mim: 5 }", "2:24: unknown key 'mim'; did you mean 'min'?"),
        (
            "{ report: { every: 5 } }",
            "2:41: '5' is no duration; write it like 5m, 1h30m or 1d, longer than zero and at most 366d"
        ),
        // Sums of it must stay in range.
        (
            "{ report: { every: 59000000y } }",
            "2:41: '59000000y' is no duration; write it like 5m, 1h30m or 1d, longer than zero and at most 366d"
        ),
        ("{ report: { every: 5m, heartbeat: 1h } }", "'heartbeat' belongs to { event: true, heartbeat: … }"),
        ("{ report: { event: true } }", "2:32: 'heartbeat' is missing"),
        ("{ zero: yes }", "2:30: 'zero' is 'site' or is left out, found 'yes'"),
        ("{ stuck_after: 0 }", "'0' is no duration"),
        ("[{ key: a }, { key: a, depth: 1m }]", "key 'a' is used by another channel"),
        ("[{ key: a }, { key: b }]", "a second water_level_meters needs a depth, position or sensor of its own"),
    ])
    func reportsBadModels(channel: String, expected: String) {
        let found = Fixture.problems(Self.model(channel))
        let message = expected.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? expected
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(message) ?? false, "\(found)")
    }

    @Test func namesThePlaceInAModel() {
        #expect(
            Fixture.problems(Self.model("{ unit: mm/x }")) == [
                "Devices/models/acme/level.yaml:2:31: unit 'mm/x' is not known; water_level_meters takes m, mm, cm, ft, in, km"
            ]
        )
        let found = Fixture.problems(["Devices/models/a/b.yaml": "channels:\n  level_meter: {}\n  Wrong: {}\n"])
        #expect(found.filter { $0.contains("is no metric name") }.count == 2)
        #expect(found.contains { $0.hasPrefix("Devices/models/a/b.yaml:2:3: 'level_meter' is no metric name") })
    }

    @Test(arguments: [
        ("kind: lake\n", "key 'kind' is given twice; keep one"),
        ("colour: red\n", "x.yaml:4:1: unknown key 'colour'; known here: "),
        ("admin_code: \"36048\"\n", "x.yaml:4:13: '36048' is no admin code; GB/T 2260 codes have six digits"),
        ("codes: { sl502: 6230225 }\n", "x.yaml:4:17: '6230225' is no SL 502 code"),
        ("position: { lat: 95, lon: 116, confidence: c }\n", "x.yaml:4:18: lat is 95.0; it must be from -90.0 to 90.0"),
        ("position: { lat: 29, confidence: c }\n", "x.yaml:4:11: 'lon' is missing"),
        ("datum: { name: moon, source: s }\n", "x.yaml:4:16: datum 'moon' is not known; it is one of wusong, frozen"),
        ("datum: { name: wusong }\n", "x.yaml:4:8: 'source' is missing"),
        (
            "soil: { field_capacity_percent: 0.32, source: s, confidence: c }\n",
            "field_capacity_percent is 0.32; it must"
        ),
        ("soil: { field_capacity_percent: 32, source: s }\n", "x.yaml:4:7: 'confidence' is missing"),
        ("devices: [{ id: a, model: generic/json, installed: May }]\n", "'May' is no date"),
        ("org: two words\n", "x.yaml:4:6: 'two words' is no id"),
        ("devices: [{ id: \"a b\", model: generic/json }]\n", "x.yaml:4:17: 'a b' is no id"),
        (
            "devices: [{ id: a, model: acme/none }]\n",
            "x.yaml:4:27: there is no model 'acme/none'; there are generic/hj212, generic/json, generic/sl651"
        ),
        ("devices: [{ id: a, model: generic/json, zero_elevation_m: 3 }]\n", "zero_elevation_m is given, but model"),
        ("devices: [{ id: a, model: generic/json, interval: 5m, report: { every: 5m } }]\n", "keep one of them"),
        ("devices: [{ id: a, model: generic/json }, { id: a, model: generic/json }]\n", "device 'a' is declared in "),
    ])
    func reportsBadSites(rest: String, expected: String) {
        let found = Fixture.problems(Self.site(rest))
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(expected) ?? false, "\(found)")
    }

    @Test(arguments: [
        ("hazard: flood, level: blue, value: 1, valid_from: 2020-13-01", "'2020-13-01' is no date"),
        (
            "hazard: flood, level: blue, value: 1, valid_from: 2020-01-01, valid_to: 2020-01-01",
            "must be after valid_from"
        ),
        (
            "hazard: flood, level: purple, value: 1, valid_from: 2020-01-01",
            "'purple' is no level; it is one of notice, blue"
        ),
        (
            "hazard: flood, level: blue, value: 1, unit: mm, valid_from: 2020-01-01",
            "unit 'mm' does not fit hazard 'flood'"
        ),
        ("hazard: flood_rise, level: blue, value: 1, unit: m, valid_from: 2020-01-01", "which is in m/h"),
        (
            "hazard: made_up, level: blue, value: 1, valid_from: 2020-01-01",
            "'unit' is missing; hazard 'made_up' has none"
        ),
        ("hazard: flood, level: blue, value: high, valid_from: 2020-01-01", "expected a number, found 'high'"),
        ("hazard: flood, level: blue, value: 1", "'valid_from' is missing"),
        (
            "hazard: flood, level: blue, value: 1, valid_from: 2020-01-01, season: { from: 02-30, to: 03-01 }",
            "'02-30' is no day of the year"
        ),
        ("hazard: flood, level: blue, value: 1, valid_from: 2020-01-01, datum: 1985", "but the site says no datum"),
        ("hazard: rain, level: blue, value: 50, valid_from: 2020-01-01", "'window' is missing"),
        ("hazard: rain, level: blue, value: 50, window: 12, valid_from: 2020-01-01", "'12' is no duration"),
        (
            "hazard: flood, level: blue, value: 1, window: 1h, valid_from: 2020-01-01",
            "only rain is summed over a window"
        ),
    ])
    func reportsBadThresholds(fields: String, expected: String) {
        let found = Fixture.problems(Self.site("thresholds:\n" + Self.threshold(fields)))
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(expected) ?? false, "\(found)")
    }

    /// Each pair of thresholds, and what is said about it; an empty text where nothing is wrong.
    @Test(arguments: [
        ("flood, level: blue, value: 19", "flood, level: blue, value: 20", "flood blue has two values at one time"),
        ("flood, level: blue, value: 19", "flood, level: red, value: 18", "the flood ladder is out of order"),
        ("flood, level: red, value: 19", "flood, level: blue, value: 19", "the flood ladder is out of order"),
        ("low_water, level: blue, value: 7", "low_water, level: red, value: 8", "the low_water ladder is out of order"),
        ("low_water, level: blue, value: 8", "low_water, level: red, value: 7", ""),
        ("flood, level: blue, value: 19", "flood, level: red, value: 500, unit: m³/s", ""),
        ("rain, level: blue, value: 50, window: 12h", "rain, level: blue, value: 35, window: 1h", ""),
        (
            "rain, level: blue, value: 50, window: 12h", "rain, level: blue, value: 35, window: 12h",
            "rain blue has two values"
        ),
        (
            "rain, level: blue, value: 50, window: 12h", "rain, level: red, value: 45, window: 12h",
            "the rain ladder is out of order"
        ),
        (
            "flood, level: blue, value: 19, valid_to: 2010-01-01",
            "flood, level: blue, value: 20, valid_from: 2010-01-01", ""
        ),
        (
            "flood, level: blue, value: 19, valid_to: 2010-01-02",
            "flood, level: blue, value: 20, valid_from: 2010-01-01",
            "flood blue has two values"
        ),
        (
            "flood, level: red, value: 18, valid_to: 2010-01-01",
            "flood, level: blue, value: 20, valid_from: 2010-01-01", ""
        ),
        (
            "flood, level: blue, value: 19, season: { from: 04-01, to: 07-01 }",
            "flood, level: blue, value: 20, season: { from: 07-01, to: 04-01 }", ""
        ),
        (
            "flood, level: blue, value: 19, season: { from: 04-01, to: 07-02 }",
            "flood, level: blue, value: 20, season: { from: 07-01, to: 10-01 }", "flood blue has two values"
        ),
    ])
    func comparesThresholdsThatAreInForceTogether(first: String, second: String, expected: String) {
        let lines = [first, second]
            .map { fields in
                let dated = fields.contains("valid_from") ? fields : fields + ", valid_from: 2000-01-01"
                return Self.threshold("hazard: " + dated)
            }
        let found = Fixture.problems(Self.site("thresholds:\n" + lines.joined()))
        #expect(found.count == (expected.isEmpty ? 0 : 1), "\(found)")
        if let problem = found.first {
            #expect(problem.contains(expected))
            #expect(problem.contains("x.yaml:6:5"))
            #expect(problem.contains("line 5"), "names both")
        }
    }

    @Test func convertsAThresholdFromTheNationalDatumOrRefusesIt() throws {
        let datum = "datum: { name: wusong, offset_to_1985_m: -1.86, valid_from: 2000-01-01, source: s }\nthresholds:\n"
        let line = Self.threshold("hazard: flood, level: blue, value: 10.11, datum: 1985, valid_from: 2000-01-01")
        let catalog = try Fixture.catalog(Self.site(datum + line))
        #expect(catalog.sites["x"]?.thresholds.map(\.value) == [11.97])
        let early = line.replacingOccurrences(of: "valid_from: 2000", with: "valid_from: 1999")
        #expect(
            Fixture.problems(Self.site(datum + early)).first?.contains("the offset is known from 2000-01-01 on")
                ?? false
        )
        let unknown = "datum: { name: frozen, source: s }\nthresholds:\n" + line
        #expect(
            Fixture.problems(Self.site(unknown)).first?.contains("the offset between them is not known here") ?? false
        )
        let feet = Self.threshold("hazard: flood, level: blue, value: 10, unit: ft, valid_from: 2000-01-01")
        #expect(try Fixture.catalog(Self.site("thresholds:\n" + feet)).sites["x"]?.thresholds.map(\.value) == [3.048])
    }

    @Test func reportsReferencesAcrossFilesAndIdsDeclaredTwice() {
        let files = [
            "Devices/sites/g/x.yaml": Self.goodSite + "devices: [{ id: d, model: generic/json }]\n",
            "Devices/sites/h/x.yaml": Self.goodSite,
            "Devices/sites/h/y.yaml": Self.goodSite + "devices: [{ id: d, model: generic/json }]\n",
            "Devices/areas/a.yaml": "area: a\nname: 甲\nsites: [nowhere]\n",
            "Devices/models/generic/json.yaml": "channels: {}\n",
            "Devices/models/deep/er/m.yaml": "channels: {}\n",
            "Devices/misc.yaml": "a: 1\n",
        ]
        let found = Fixture.problems(files).joined(separator: "\n")
        for expected in [
            "Devices/areas/a.yaml:3:9: there is no site 'nowhere'",
            "Devices/misc.yaml: files belong under models/<vendor>/, sites/<group>/ or areas/",
            "Devices/models/deep/er/m.yaml: the path is models/<folder>/<name>.yaml",
            "Devices/models/generic/json.yaml:1:1: the model 'generic/json' is built in",
            "Devices/sites/h/x.yaml:1:7: site 'x' is declared in Devices/sites/g/x.yaml:1:7 already",
            "Devices/sites/h/y.yaml:1:7: the file is named 'y.yaml', but declares site 'x'",
            "device 'd' is declared in Devices/sites/g/x.yaml:4:17 already",
        ] {
            #expect(found.contains(expected), "\(found)")
        }
    }

    @Test func reportsAllProblemsOfAllFilesAtOnce() {
        let files = [
            "Devices/sites/g/x.yaml": Self.goodSite + "admin_code: 1\nposition: { lat: 95, lon: 999, confidence: c }\n",
            "Devices/models/a/b.yaml": "channels: { ph: { min: -1, max: 15 } }\n",
            "Devices/models/a/c.yaml": "channels: [\n",
        ]
        #expect(Fixture.problems(files).count == 6)
    }

    @Test func refusesRegistrationsOfWhatFilesDeclare() throws {
        let files = Self.site("devices: [{ id: d, model: generic/json }]\n")
        let sources = files.map { SourceText(path: $0.key, text: $0.value) }
        let registered = CatalogRegistrations(
            sites: [Site(id: "x", name: LocalizedName(zh: "甲", en: "X"), kind: .field)],
            devices: [
                Device(id: "d", model: "generic/json", site: "x"), Device(id: "e", model: "none/none", site: "nowhere"),
            ]
        )
        let error = #expect(throws: ProblemList.self) {
            try Catalog(files: CatalogFiles.parse(sources), registered: registered)
        }
        Fixture.expectChinese(error?.problems ?? [])
        let messages = error?.problems.map(\.message) ?? []
        #expect(messages.count == 4)
        #expect(messages.contains { $0.contains("site 'x' is registered and declared in Devices/sites/g/x.yaml:1:7") })
        #expect(
            messages.contains { $0.contains("device 'd' is registered and declared in Devices/sites/g/x.yaml:4:17") }
        )
        #expect(messages.contains { $0.contains("site 'nowhere', which is neither registered nor in a file") })
    }

    @Test func oneAddressWrittenInTwoWaysIsNamedWithBothPlaces() throws {
        let files = Self.site(
            """
            devices:
              - { id: d, model: generic/json, address: 24-E1-24-12-6B-00-00-12 }
              - { id: e, model: generic/json, address: 24e124126b000012 }

            """
        )
        #expect(
            Fixture.problems(files) == [
                "Devices/sites/g/x.yaml:6:44: '24e124126b000012' is the address of device 'd' already "
                    + "(Devices/sites/g/x.yaml:5:11, written '24-E1-24-12-6B-00-00-12'); addresses are unique: correct one "
                    + "of the two"
            ]
        )
        let one = Self.site("devices: [{ id: d, model: generic/json, address: 24:E1:24:12:6B:00:00:12 }]\n")
        let late = Device(id: "e", model: "generic/json", site: "x", address: "24E124126B000012")
        let error = #expect(throws: ProblemList.self) {
            try Fixture.catalog(one, registered: CatalogRegistrations(devices: [late]))
        }
        let message = try #require(error?.problems.first)
        #expect(
            message.description
                == "registry: device 'e': '24E124126B000012' is the address of device 'd' already "
                + "(Devices/sites/g/x.yaml:4:17, written '24:E1:24:12:6B:00:00:12'); addresses are unique: correct one of "
                + "the two"
        )
        #expect(message.messageZh?.contains("设备“e”：“24E124126B000012”已是设备“d”的地址（Devices/") ?? false)
    }

    @Test func readsADirectoryAndSaysWhenThereIsNone() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("catalog-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let error = #expect(throws: ProblemList.self) { try CatalogFiles.load(directory: directory) }
        #expect(error?.problems.first?.message == "there is no such directory; give it with --devices DIR")
        try FileManager.default.createDirectory(atPath: directory + "/sites/g", withIntermediateDirectories: true)
        try Data(Self.goodSite.utf8).write(to: URL(fileURLWithPath: directory + "/sites/g/x.yaml"))
        try Data([0xC0, 0xE0]).write(to: URL(fileURLWithPath: directory + "/sites/g/y.yaml"))
        let notUTF8 = #expect(throws: ProblemList.self) { try CatalogFiles.load(directory: directory) }
        #expect(notUTF8?.problems.map(\.message) == ["the file is not UTF-8; save it as UTF-8"])
        Fixture.expectChinese((error?.problems ?? []) + (notUTF8?.problems ?? []))
        try FileManager.default.removeItem(atPath: directory + "/sites/g/y.yaml")
        #expect(try CatalogFiles.load(directory: directory + "/").sites.keys.sorted() == ["x"])
    }

    /// With no file to be opened any more it was once taken for empty, and all devices were gone.
    @Test(.timeLimit(.minutes(1)))
    func aDirectoryThatCannotBeReadIsNotAnEmptyOne() async {
        await #expect(processExitsWith: .success) { [directory = Fixture.devicesDirectory as String] in
            _ = try CatalogFiles.load(directory: directory)
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
            let error = #expect(throws: ProblemList.self) { try CatalogFiles.load(directory: directory) }
            #expect(error?.problems.first?.message.hasPrefix("the directory cannot be read") == true)
        }
    }

    /// It was once taken for empty.
    @Test func aLinkToADirectoryIsTheDirectory() throws {
        try inTemporaryFolder { folder in
            let link = folder.appending(path: "Devices").path
            try FileManager.default.createSymbolicLink(
                atPath: link,
                withDestinationPath: Fixture.devicesDirectory
            )
            #expect(try CatalogFiles.load(directory: link).sites.count > 0)
        }
    }

    @Test func keepsTheKeysOfSeriesAcrossSnapshots() throws {
        let keys = SeriesKeyTable()
        let files = Self.site("devices: [{ id: d, model: m/n }]\n")
            .merging(["Devices/models/m/n.yaml": "channels: { ph: {} }\n"]) { $1 }
        let first = try Fixture.catalog(files, keys: keys)
        let second = try Fixture.catalog(files, keys: keys)
        #expect(first.registeredChannels(at: "x").first?.series === second.registeredChannels(at: "x").first?.series)
    }
}
