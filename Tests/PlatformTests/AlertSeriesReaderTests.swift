// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import Foundation
import PromQL
import SeriesStorage
import Telemetry
import TestSupport
import Testing

@testable import Platform

/// Alerts can be asked for like series, at any time.
struct AlertSeriesReaderTests {
    /// In the demo gauge's feet, a reading each 5 minutes: over two levels and back.
    private static let flood: [(minute: Int, feet: Double)] = zip(
        stride(from: 0, to: 60, by: 5),
        [2, 2, 3.2, 4.2, 4.2, 3.2, 2, 2, 2, 2, 2, 2]
    )
    .map { ($0, $1) }

    private func reader(_ bench: Workbench) -> AlertSeriesReader {
        let catalog = bench.resolver.catalog
        let base = CatalogReader(base: bench.store.reader, catalog: catalog)
        return AlertSeriesReader(base: base, records: bench.records, catalog: catalog)
    }

    /// A row for each series: its labels, and the minutes at which it has a value.
    private func minutes(_ query: String, _ reader: any SeriesReader) throws -> [Labels: [Int]] {
        var found: [Labels: [Int]] = [:]
        for minute in 0..<60 {
            let time = Workbench.start + Milliseconds(minute) * .minute
            let result = try Evaluator(reader: reader).instant(try Query(parsing: query), at: time)
            guard case .vector(let samples) = result.value else { continue }
            for sample in samples { found[sample.labels, default: []].append(minute) }
        }
        return found
    }

    @Test func alertsAreSeenWhileTheyFireAndAfterACrash() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            for entry in try bench.commit(Self.flood) { try bench.core.process(entry, at: Workbench.start) }
            let query = #"ALERTS{alertstate="firing",org=~".+"}"#
            let live = try self.minutes(query, self.reader(bench))
            let intervals = try bench.records.alertHistory(after: .distantPast, through: .distantFuture)
            try #require(intervals.count >= 2 && intervals.allSatisfy { $0.endedAt != nil })
            for alert in Dictionary(grouping: intervals, by: { [$0.alertName, $0.labels] }).values {
                let labels = try StoredLabels.read(alert[0].labels)
                let series = try #require(
                    live.first { $0.key["level"] == labels["level"] && $0.key["alertname"] == alert[0].alertName }
                )
                #expect(series.key.metric == "ALERTS")
                let expected = (0..<60)
                    .filter { minute in
                        let time = Workbench.start + Milliseconds(minute) * .minute
                        return alert.contains { time >= $0.firedAt && time < ($0.endedAt ?? .distantFuture) }
                    }
                #expect(series.value == expected && !expected.isEmpty, "\(series)")
            }
            try bench.close()
            let again = try Workbench(folder)
            #expect(try self.minutes(query, self.reader(again)) == live)
            try again.close()
        }
    }

    @Test func theTimeSinceWhichItHoldsIsAValue() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            for entry in try bench.commit(Array(Self.flood.prefix(4))) {
                try bench.core.process(entry, at: Workbench.start)
            }
            let reader = self.reader(bench)
            let time = Workbench.start + 15 * .minute
            let request = SelectRequest(
                matchers: [LabelMatcher(Labels.metricName, equals: "ALERTS_FOR_STATE")],
                extent: .lookback(from: time, through: time)
            )
            let found = try reader.select(request)
            let intervals = try bench.records.alertHistory(after: .distantPast, through: .distantFuture)
            #expect(!found.isEmpty && found.count == intervals.count)
            let expected = intervals.map { Double($0.activeAt.milliseconds) / 1000 }.sorted()
            #expect(found.compactMap(\.values.last).sorted() == expected)
            #expect(found.allSatisfy { $0.labels["alertstate"].isEmpty && $0.nextChange == .distantFuture })
            // What nobody asked for is not computed.
            let levels = SelectRequest(
                matchers: [LabelMatcher(Labels.metricName, equals: "water_level_meters")],
                extent: .lookback(from: time, through: time)
            )
            #expect(try reader.select(levels).allSatisfy { $0.labels.metric == "water_level_meters" })
            let names = try reader.series(matching: [], after: .distantPast, through: .distantFuture).map(\.metric)
            #expect(Set(names).isSuperset(of: ["ALERTS", "ALERTS_FOR_STATE", "water_level_meters"]))
            try bench.close()
        }
    }

    /// Before it fires an alert is pending, also in what is long past.
    @Test func waitingAlertsArePending() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            func minute(_ number: Int) -> Timestamp { Workbench.start + Milliseconds(number) * .minute }
            let waiting = """
                {"activeAt":\(minute(30).milliseconds),"alertName":"B","evidence":0,"hazard":"flood","level":"blue",\
                "resultLabels":{},"since":\(minute(30).milliseconds),"state":"pending"}
                """
            let key = AlertStateRow.Key(rule: "f/g/B", labels: #"{"org":"forged","site":"usgs-01581752"}"#)
            let past = AlertInterval(
                rule: "f/g/A",
                alertName: "A",
                labels: #"{"site":"usgs-01581752"}"#,
                activeAt: minute(5),
                firedAt: minute(10),
                endedAt: minute(12)
            )
            let states = [AlertStateRow(key: key, json: waiting)]
            try bench.records.commit(ProcessedBatch(alertStates: states, alertHistory: [past]))
            let reader = self.reader(bench)
            let found = try self.minutes("sum by (alertname, alertstate, org) (ALERTS)", reader)
            let org = try #require(bench.resolver.catalog.sites["usgs-01581752"]?.org)
            func labels(_ name: String, _ state: String) -> Labels {
                ["alertname": name, "alertstate": state, "org": org]
            }
            #expect(
                found == [
                    labels("A", "pending"): Array(5..<10), labels("A", "firing"): [10, 11],
                    labels("B", "pending"): Array(30..<60),
                ]
            )
            let since = try self.minutes(#"ALERTS_FOR_STATE{alertname="A"} == 1535753100"#, reader)
            #expect(Array(since.values) == [Array(5..<12)])
            #expect(try self.minutes("count_over_time(ALERTS_FOR_STATE[2m])", reader).count == 2)
            try bench.close()
        }
    }

    @Test func whatEndsIsNotSeenForEver() throws {
        let span = { (start: Int64, end: Int64, value: Double) in
            AlertSpans.Span(
                start: Timestamp(milliseconds: start),
                end: Timestamp(milliseconds: end),
                value: value
            )
        }
        let spans = AlertSpans([span(50, 51, 2), span(10, 20, 1), span(15, 30, 1), span(30, 40, 2), span(7, 7, 9)])
        #expect(spans.spans == [span(10, 30, 1), span(30, 40, 2), span(50, 51, 2)])
        let extent = SelectExtent.lookback(from: Timestamp(milliseconds: 25), through: Timestamp(milliseconds: 45))
        let columns = try #require(spans.columns(extent, labels: .empty))
        #expect(columns.times.map(\.milliseconds) == [10, 30, 40])
        #expect(columns.values.prefix(2) == [1, 2] && columns.values[2].isNaN)
        #expect(columns.nextChange == Timestamp(milliseconds: 50))
    }
}

private enum StoredLabels {
    static func read(_ json: String) throws -> Labels {
        try JSONDecoder().decode(Labels.self, from: Data(json.utf8))
    }
}
