// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

struct ThresholdImportTests {
    private static let header =
        "site_id,hazard,level,value,valid_from,authority,source,confidence,window,valid_to,unit\n"

    private func catalog(_ thresholds: [Threshold] = []) throws -> Catalog {
        var creek = Site(id: "creek", name: LocalizedName(zh: "溪", en: "Creek"), kind: .river)
        creek.thresholds = thresholds
        let file = ["Devices/sites/g/filed.yaml": "site: filed\nname: { zh: 档, en: Filed }\nkind: river\n"]
        return try Fixture.catalog(file, registered: CatalogRegistrations(sites: [creek]))
    }

    @Test func createsCorrectsAndEndsByDates() throws {
        let first = ThresholdImport(
            csv: Self.header + "creek,flood,blue,1.50,2020-01-01,水文局,\"文 \"\"7\"\"\",verified,,,\n"
                + "creek,rain,blue,20,2020-01-01,水文局,文 8,verified,1h,,\n",
            catalog: try self.catalog()
        )
        #expect(first.rows.map(\.verdict) == [.created, .created], "\(first.rows)")
        let thresholds = try #require(first.sites.first?.thresholds)
        #expect(thresholds.map(\.value) == [1.5, 20] && thresholds.map(\.window) == [nil, .hour])
        #expect(thresholds[0].source == "文 \"7\"")
        let again = ThresholdImport(
            csv: Self.header + "creek,flood,blue,1.5,2020-01-01,水文局,\"文 \"\"7\"\"\",verified,,,\n",
            catalog: try self.catalog(thresholds)
        )
        #expect(again.rows.map(\.verdict) == [.unchanged] && again.sites.isEmpty)
        let later = ThresholdImport(
            csv: Self.header + "creek,flood,blue,160,2023-05-01,水文局,文 9,verified,,,cm\n"
                + "creek,rain,blue,25,2020-01-01,水文局,文 8,verified,1h,,\n",
            catalog: try self.catalog(thresholds)
        )
        #expect(later.rows.map(\.verdict) == [.created, .changed], "\(later.rows)")
        #expect(
            later.differences == [
                "+ flood blue 1.6 m from 2023-05-01 (水文局; 文 9; verified); ends flood blue 1.5 m from 2020-01-01 "
                    + "(水文局; 文 \"7\"; verified)",
                "~ rain blue 20.0 mm in 1h from 2020-01-01 (水文局; 文 8; verified) → rain blue 25.0 mm in 1h from 2020-01-01 "
                    + "(水文局; 文 8; verified)",
            ]
        )
        let now = try #require(later.sites.first?.thresholds)
        #expect(now.map(\.value) == [1.5, 25, 1.6])
        #expect(now[0].validTo == (try Fixture.time("2023-05-01T00:00")))
    }

    /// Each ends the one before it; the second import finds all as it left them.
    @Test func theHistoryOfALevelCanBeImportedAgain() throws {
        let csv = """
            creek,flood,yellow,20.5,2019-01-01,a,s,c,,,
            creek,flood,yellow,21.5,2020-01-01,a,s2,c,,,
            creek,flood,yellow,22,2021-01-01,a,s3,c,,,

            """
        let first = ThresholdImport(csv: Self.header + csv, catalog: try self.catalog())
        #expect(first.rows.map(\.verdict) == [.created, .created, .created])
        let thresholds = try #require(first.sites.first?.thresholds)
        let again = ThresholdImport(csv: Self.header + csv, catalog: try self.catalog(thresholds))
        #expect(again.rows.map(\.verdict) == [.unchanged, .unchanged, .unchanged], "\(again.rows)")
        let corrected = ThresholdImport(
            csv: Self.header + csv.replacing("20.5", with: "20.6"),
            catalog: try self.catalog(thresholds)
        )
        #expect(corrected.rows.map(\.verdict) == [.changed, .unchanged, .unchanged], "\(corrected.rows)")
        #expect(corrected.sites.first?.thresholds.map(\.validTo) == thresholds.map(\.validTo))
    }

    @Test func twoRowsOfOneThresholdMustSayTheSame() throws {
        let plan = ThresholdImport(
            csv: Self.header + """
                creek,flood,red,22,2020-01-01,a,s,c,,,
                creek,flood,red,22.0,2020-01-01,a,s,c,,,m
                creek,flood,red,23,2020-01-01,a,s,c,,,
                creek,flood,red,23,2021-01-01,a,s,c,,,
                """,
            catalog: try self.catalog()
        )
        #expect(plan.rows.map(\.verdict) == [.created, .unchanged, .error, .created], "\(plan.rows)")
        let problem = try #require(plan.rows[2].problems.first?.text)
        #expect(
            problem.en == "value: line 2 has the same threshold otherwise: flood red 22.0 m from 2020-01-01 (a; s; c); "
                + "keep one of the two rows"
        )
        #expect(problem.zh.contains("第 2 行对同一阈值另有规定"))
    }

    @Test(arguments: [
        ("nowhere,flood,blue,1,2020-01-01,a,s,c,,,", "site_id", "there is no site 'nowhere'"),
        ("filed,flood,blue,1,2020-01-01,a,s,c,,,", "site_id", "declared in a file under Devices/"),
        ("creek,floood,blue,1,2020-01-01,a,s,c,,,m", "hazard", "no hazard 'floood'; did you mean 'flood'?"),
        ("creek,hail,blue,1,2020-01-01,a,s,c,,,mm", "hazard", "it is one of flood, flood_rise"),
        (
            "creek,flood,blue,1,2020-01-01,\(String(repeating: "a", count: 1001)),s,c,,,", "authority",
            "the cell has 1001 characters; at most 1000 are taken"
        ),
        ("creek,flood,blau,1,2020-01-01,a,s,c,,,", "level", "'blau' is no level; it is one of notice, blue"),
        ("creek,flood,blue,high,2020-01-01,a,s,c,,,", "value", "expected a number"),
        ("creek,flood,blue,1,01.05.2020,a,s,c,,,", "valid_from", "'01.05.2020' is no date"),
        ("creek,flood,blue,1,2020-01-01,,s,c,,,", "", "'authority' is missing"),
        ("creek,rain,blue,1,2020-01-01,a,s,c,,,", "", "'window' is missing"),
        ("creek,flood,blue,1,2020-01-01,a,s,c,,,mm", "unit", "unit 'mm' does not fit hazard 'flood'"),
        ("creek,flood,orange,1.4,2020-01-01,a,s,c,,,", "value", "the flood ladder is out of order"),
        ("creek,flood,blue,1.4,2019-01-01,a,s,c,,,", "value", "has two values at one time"),
    ])
    func saysWhatIsWrongWithARow(row: String, field: String, message: String) throws {
        let good = "creek,flood,yellow,1.8,2020-01-01,a,s,c,,,\n"
        let before = ThresholdImport(
            csv: Self.header + "creek,flood,blue,1.50,2020-01-01,a,s,c,,,\n",
            catalog: try self.catalog()
        )
        let catalog = try self.catalog(before.sites.first?.thresholds ?? [])
        let plan = ThresholdImport(csv: Self.header + row + "\n" + good, catalog: catalog)
        #expect(plan.rows.map(\.verdict) == [.error, .created], "a bad row does not stop the others: \(plan.rows)")
        #expect(plan.rows[0].line == 2)
        #expect(
            plan.rows[0].problems
                .contains { $0.field == field && $0.message.en.contains(message) && isChinese($0.message.zh) },
            "\(plan.rows[0].problems)"
        )
        #expect(plan.sites.first?.thresholds.count == 2)
    }

    @Test func aFileWithoutTheDocumentIsRefused() throws {
        let plan = ThresholdImport(csv: "site_id,hazard,level,value\n", catalog: try self.catalog())
        #expect(plan.rows.first?.problems.map(\.field) == ["valid_from", "authority", "source", "confidence"])
    }
}
