// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import SeriesStorage
import StrictYAML
import Telemetry
import TestSupport
import Testing

@testable import Platform

/// Which series are kept how long, from the words of the configuration file on.
struct RetentionPlanTests {
    private static let now = Timestamp(milliseconds: 1_700_000_000_000)

    private func rules(_ text: String) throws -> [RetentionRule] {
        let problems = ProblemCollector()
        let value = YAMLValue.parse(text, file: "c.yaml", problems: problems)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let rules = value.map { RetentionRule.read($0, source: lines) } ?? []
        try problems.throwIfAny()
        return rules
    }

    private func problems(_ text: String) -> [String] {
        do {
            _ = try self.rules(text)
            return []
        } catch let list as ProblemList {
            return list.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    private func catalog() throws -> Catalog {
        try Catalog(files: try CatalogFiles.load(directory: Workbench.project.appending(path: "Devices").path))
    }

    private func labels(_ metric: String, _ site: String) -> Labels { Labels(metric: metric, ["site": site]) }

    @Test func theFirstRuleThatMatchesCounts() throws {
        let catalog = try self.catalog()
        let site = try #require(catalog.sites.values.first { !$0.org.isEmpty })
        let rules = try self.rules(
            """
            - match: 'battery_volts{org="\(site.org)"}'
              keep: 90d
            - match: '{site="\(site.id)", __name__!="ph"}'
              keep: 2y
            - match: battery_volts
            - match: '{__name__=~".+"}'
              keep: 5y
            """
        )
        let plan = RetentionPlan(rules, catalog: catalog, at: Self.now)
        func days(_ metric: String, _ site: String) -> Int64? {
            plan.retention(of: self.labels(metric, site)).map { (Self.now - $0.keepFrom) / .day }
        }
        #expect(days("battery_volts", site.id) == 90)
        #expect(days("water_level_meters", site.id) == 730)
        #expect(days("ph", site.id) == 1825)
        #expect(days("battery_volts", "nowhere") == nil, "a rule that names nothing keeps all")
        #expect(days("water_level_meters", "nowhere") == 1825)
    }

    @Test(arguments: ["org", "county", "basin", "kind"])
    func virtualLabelsChooseLikeInQueriesAndStoredOnesWin(name: String) throws {
        let catalog = try self.catalog()
        let shown = try #require(
            catalog.sites.keys.lazy.map { catalog.shownLabels(of: self.labels("ph", $0)) }.first { !$0[name].isEmpty }
        )
        let rules = try self.rules("- match: '{\(name)=\"\(shown[name])\"}'\n  keep: 1d")
        let plan = RetentionPlan(rules, catalog: catalog, at: Self.now)
        #expect(plan.retention(of: self.labels("ph", shown.site)) != nil)
        #expect(plan.retention(of: self.labels("ph", "nowhere")) == nil)
        #expect(plan.retention(of: Labels(metric: "ph", ["site": shown.site, name: "other"])) == nil)
    }

    /// So that a start ten minutes later rewrites nothing.
    @Test(arguments: [("2h", Milliseconds.hour), ("40h", 2 * .hour), ("90d", .day), ("10y", .day)])
    func boundsMoveInSteps(keep: String, step: Milliseconds) throws {
        let rules = try self.rules("- match: ph\n  keep: \(keep)")
        let catalog = Catalog.empty
        let span = try #require(PrometheusDuration.parse(keep))
        var bounds: Set<Timestamp> = []
        for minute in 0..<(2 * step / .minute) {
            let now = Self.now + minute * .minute
            let plan = RetentionPlan(rules, catalog: catalog, at: now)
            let bound = try #require(plan.retention(of: self.labels("ph", "x"))).keepFrom
            #expect(bound <= now - span && bound > now - span - step)
            bounds.insert(bound)
        }
        #expect(bounds.count <= 3)
    }

    @Test func thinsByWhatSuitsTheMetric() throws {
        let rules = try self.rules(
            """
            - match: '{site="x"}'
              thin:
                - { after: 30d, to: 10m }
                - { after: 1y, to: 1d, by: maximum }
            """
        )
        let plan = RetentionPlan(rules, catalog: .empty, at: Self.now)
        for (metric, aggregate) in [
            ("rainfall_millimeters", SeriesRetention.Aggregate.sum), ("rain_accumulated_millimeters", .last),
            ("water_level_meters", .average),
        ] {
            let retention = try #require(plan.retention(of: self.labels(metric, "x")))
            #expect(retention.keepFrom == .distantPast)
            #expect(retention.thinnings.map(\.aggregate) == [aggregate, .maximum])
            #expect(retention.thinnings.map(\.interval) == [10 * .minute, .day])
            #expect(retention.thinnings.allSatisfy { $0.before <= Self.now - 30 * .day })
        }
    }

    @Test(
        arguments: [
            ("match: ph", ["c.yaml:1:1: expected a list, found a mapping"]),
            ("- keep: 1d", ["c.yaml:1:3: 'match' is missing"]),
            ("- match: 'ph{site='", ["c.yaml:1:19: "]),
            ("- match: 'rate(ph[5m])'", ["c.yaml:1:10: 'rate(ph[5m])' is no selector"]),
            ("- match: 'ph[5m]'", ["c.yaml:1:10: 'ph[5m]' is no selector"]),
            ("- match: 'ph offset 1d'", ["c.yaml:1:10: 'ph offset 1d' is no selector"]),
            ("- match: ph\n  keep: 90", ["c.yaml:2:9: '90' is no duration"]),
            ("- match: ph\n  kep: 90d", ["c.yaml:2:3: unknown key 'kep'; did you mean 'keep'?"]),
            ("- match: ph\n  keep: 0s", ["c.yaml:2:9: '0s' is no duration"]),
            ("- match: ph\n  thin: [{ after: 1d }]", ["c.yaml:2:10: 'to' is missing"]),
            (
                "- match: ph\n  thin: [{ after: 1d, to: 1h, by: median }]",
                ["c.yaml:2:35: 'median' is no way to thin; write one of average, minimum, maximum, sum, last"]
            ),
            (
                "- match: ph\n  keep: 1d\n  thin: [{ after: 2d, to: 1h }]",
                ["c.yaml:3:10: nothing is left to thin"]
            ),
            (
                "- match: ph\n  thin: [{ after: 2d, to: 1h }, { after: 1d, to: 2h }, { after: 3d, to: 3h }]",
                ["c.yaml:2:33: write what thins younger", "c.yaml:2:56: 'to' must be a multiple of the 2h"]
            ),
        ]
    )
    func saysWhatIsWrongAndWhere(text: String, expected: [String]) {
        let found = self.problems(text)
        #expect(found.count == expected.count, "\(found)")
        for (found, expected) in zip(found, expected) { #expect(found.hasPrefix(expected)) }
    }
}
