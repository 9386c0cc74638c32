// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import Telemetry
import Testing

/// The files that ship under `Devices/`.
struct ShippedDevicesTests {
    static func load() throws -> Catalog {
        try Catalog(files: CatalogFiles.load(directory: Fixture.devicesDirectory))
    }

    private let catalog: Catalog

    init() throws {
        self.catalog = try ShippedDevicesTests.load()
    }

    @Test(arguments: [
        "xingzi", "hukou", "duchang", "waizhou", "lijiadu", "meigang", "hushan", "dufengkeng", "usgs-01581752",
    ])
    func haveTheSlugsThatOutsidersKnow(site: String) {
        #expect(self.catalog.sites[site] != nil)
    }

    @Test func haveTheTwentyFourStationsOfTheSeedTable() {
        let stations = self.catalog.sites.values.filter { $0.org == "poyang-flood-office" }
        #expect(stations.count == 24)
        #expect(stations.filter { $0.datum?.offsetTo1985Meters != nil }.map(\.id) == ["xingzi"])
        let coded = stations.filter { $0.codes["sl502"] != nil }
        #expect(Set(coded.map(\.id)) == ["waizhou", "xiajiang", "lijiadu", "liaojiawan"])
    }

    @Test func giveNoColourWhereTheOfficesTableIsNotKnown() {
        for site in self.catalog.sites.values where site.org == "poyang-flood-office" && site.id != "xingzi" {
            #expect(site.thresholds.allSatisfy { $0.level == .notice }, "\(site.id)")
        }
    }

    /// The record in force is the one that stood before the event, on both sides of each change.
    @Test(arguments: [
        ("2020-07-12T00:00+08:00", "flood", "red", 22.52),
        ("2020-12-31T23:59:59.999+08:00", "flood", "red", 22.52),
        ("2021-01-01T00:00+08:00", "flood", "red", 22.63),
        ("2022-06-21T16:00+08:00", "flood", "blue", 19.00),
        ("2022-06-21T16:00+08:00", "flood", "orange", 22.50),
        ("2022-09-06T08:00+08:00", "low_water", "blue", 8.00),
        ("2022-09-16T08:00+08:00", "low_water", "yellow", 7.50),
        ("2022-09-22T06:00+08:00", "low_water", "orange", 7.20),
        ("2022-11-17T00:00+08:00", "low_water", "red", 7.11),
        ("2023-04-23T23:59:59.999+08:00", "low_water", "red", 7.11),
        ("2023-04-24T00:00+08:00", "low_water", "red", 6.46),
        ("2022-08-06T00:00+08:00", "low_water_season", "blue", 12.0),
    ])
    func xingziHasTheThresholdOfTheDay(time: String, hazard: String, level: String, value: Double) throws {
        let moment = try #require(Timestamp(rfc3339: time))
        let found = self.catalog.thresholds(at: "xingzi", moment: moment)
            .filter { $0.hazard.rawValue == hazard && $0.level.rawValue == level }
        #expect(found.map(\.value) == [value])
    }

    @Test func xingziHasNoYellowFloodThreshold() {
        let levels = self.catalog.sites["xingzi"]?.thresholds.filter { $0.hazard == .flood }.map(\.level) ?? []
        #expect(Set(levels) == [.blue, .orange, .red])
    }

    /// 2025-08-08 08:00: two reports of one moment in two datums.
    @Test func xingziReadsTheNationalLevelInItsOwnDatum() {
        let datum = self.catalog.sites["xingzi"]?.datum
        #expect(datum?.level(10.11, from: "1985") == 11.97)
        #expect(datum?.levelIn1985(11.97) == 10.11)
        #expect(datum?.level(10.11, from: "frozen") == nil)
    }

    @Test func theDemoGaugeReportsFeetEveryFiveMinutes() throws {
        let channels = self.catalog.registeredChannels(at: "usgs-01581752")
        let level = try #require(channels.first { $0.metric == "water_level_meters" })
        #expect(level.device == "usgs-01581752-1")
        #expect(level.schedule == .periodic(5 * .minute))
        #expect(level.series.labels == Labels(metric: "water_level_meters", ["site": "usgs-01581752"]))
        let resolver = CatalogResolver(catalog: self.catalog)
        var resolved: [ResolvedReading] = []
        let readings = [Reading(key: "gage_height_ft", value: 6.63, time: Fixture.now, isSimulated: true)]
        let refusals = resolver.resolve(
            device: "usgs-01581752-1",
            readings: readings,
            receivedAt: Fixture.now,
            into: &resolved
        )
        #expect(refusals.isEmpty)
        #expect(resolved.map(\.sample.value) == [2.020824])
    }

    @Test func dailyLevelsOfXingziStandForMoreThanADay() throws {
        let channel = try #require(self.catalog.registeredChannels(at: "xingzi").first)
        #expect(channel.device == "xingzi-1")
        #expect(channel.schedule?.lookback == 60 * .hour)
    }
}
