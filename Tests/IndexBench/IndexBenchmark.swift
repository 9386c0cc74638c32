// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SeriesStorage
import Synchronization
import Telemetry

/// Series as a province has them: 5 metrics, 97 counties, a station of its own for each.
enum IndexBenchmark {
    private static let metrics = [
        "water_level_meters", "rainfall_millimeters", "soil_moisture_percent", "air_temperature_celsius",
        "battery_volts",
    ]

    private static func labels(_ number: Int) -> Labels {
        Labels(sorted: [
            Label(name: "__name__", value: self.metrics[number % 5]),
            Label(name: "county", value: "county-\(number % 97)"),
            Label(name: "station", value: self.station(number)),
        ])
    }

    private static func station(_ number: Int) -> String {
        let digits = String(number)
        return "st-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    static func run(series count: Int) throws {
        let before = self.residentBytes()
        var time = self.processorSeconds()
        let index = LabelIndex()
        for number in 0..<count { _ = index.insert(self.labels(number)) }
        var seconds = self.processorSeconds() - time
        try self.report("insert", ["series": Double(count), "seconds": seconds, "per_second": Double(count) / seconds])
        let bytes = Double(self.residentBytes() - before)
        try self.report("memory", ["bytes_per_series": bytes / Double(count), "resident_bytes": bytes])

        try self.sharedStations(count: count)
        try self.opening(index, count: count)
        try self.opening(index, count: count / 10)
        try self.longestWait(count: count, beside: nil)
        try self.lookups(index, count: count)
        let metric = LabelMatcher("__name__", equals: self.metrics[0])
        func matcher(_ name: String, _ operation: LabelMatcher.Operation, _ value: String) throws -> LabelMatcher {
            let expression = try NSRegularExpression(pattern: "^(?:\(value))$")
            let wrapped = Expression(expression)
            return LabelMatcher(name: name, operation: operation, value: value, pattern: { wrapped.matches($0) })
        }
        let cheap = LabelMatcher(name: "station", operation: .matches, value: "st-0.*77") { $0.hasSuffix("77") }
        let county = LabelMatcher("county", equals: "county-7")
        let queries: [(String, [LabelMatcher])] = [
            ("equal_metric", [metric]),
            ("equal_county", [county]),
            ("equal_metric_and_county", [metric, county]),
            ("regex_prefix_county", [metric, try matcher("county", .matches, "county-1.*")]),
            ("regex_prefix_station", [metric, try matcher("station", .matches, "st-00012.*")]),
            ("regex_prefix_station_alone", [try matcher("station", .matches, "st-00012.*")]),
            ("regex_general_county", [metric, try matcher("county", .matches, "county-[13]7?")]),
            ("regex_general_station_in_county", [county, try matcher("station", .matches, "st-0.*77")]),
            ("regex_general_station_all", [try matcher("station", .matches, "st-0.*77")]),
            ("regex_cheap_station_all", [cheap]),
            ("regex_alternation_station", [try matcher("station", .matches, "st-00000012|st-00400000|st-00099999")]),
            ("regex_alternation_county", [metric, try matcher("county", .matches, "county-7|county-8|county-9")]),
            ("not_equal_county", [LabelMatcher(name: "county", operation: .notEqual, value: "county-7", pattern: nil)]),
            ("not_regex_county", [metric, try matcher("county", .notMatches, "county-[13]7?")]),
            ("empty_label", [LabelMatcher("nowhere", equals: ""), county]),
        ]
        for (name, matchers) in queries {
            time = self.processorSeconds()
            let found = index.matching(matchers, below: SeriesID(rawValue: .max)).count
            seconds = self.processorSeconds() - time
            try self.report(name, ["found": Double(found), "milliseconds": seconds * 1e3])
        }
        let hot = (0..<1000)
            .map { step in
                let number = step * (count / 1000)
                return [
                    LabelMatcher("__name__", equals: self.metrics[number % 5]),
                    LabelMatcher("station", equals: self.station(number)),
                ]
            }
        try self.repeated("metric_at_a_site_everywhere", hot, index)
        try self.repeated("metric_at_a_site_one_station", [hot[7]], index)
        try self.longestWait(count: count, beside: index)
    }

    /// The rule engine's question, a million times.
    private static func repeated(_ name: String, _ queries: [[LabelMatcher]], _ index: LabelIndex) throws {
        let time = self.processorSeconds()
        var found = 0
        for step in 0..<1_000_000 {
            found += index.matching(queries[step % queries.count], below: SeriesID(rawValue: .max)).count
        }
        try self.report(name, ["found": Double(found), "nanoseconds": (self.processorSeconds() - time) * 1e3])
    }

    /// From the stored form, as a start of the service does.
    private static func opening(_ index: LabelIndex, count: Int) throws {
        let stored = (0..<count).map { index.packedLabels(of: SeriesID(rawValue: UInt32($0 + 1))) }
        let time = self.processorSeconds()
        let opened = LabelIndex()
        for bytes in stored { _ = try opened.insert(packed: bytes) }
        try self.report("open", ["series": Double(opened.count), "seconds": self.processorSeconds() - time])
    }

    /// Four labels, and stations of five metrics each.
    private static func sharedStations(count: Int) throws {
        let before = self.residentBytes()
        let index = LabelIndex()
        for number in 0..<count {
            let station = self.station(number / 5)
            _ = index.insert(self.labels(number).with("station", station).with("org", "org-\(number / 5 % 12)"))
        }
        let bytes = Double(self.residentBytes() - before)
        try self.report("memory_shared_stations", ["bytes_per_series": bytes / Double(count)])
        let hot = (0..<1000)
            .map { step in
                let number = step * (count / 1000)
                let station = LabelMatcher("station", equals: self.station(number / 5))
                return [LabelMatcher("__name__", equals: self.metrics[number % 5]), station]
            }
        try self.repeated("metric_at_a_site_of_five", hot, index)
        try self.repeated("metric_at_a_site_of_five_one_station", [hot[7]], index)
    }

    /// How long one insertion takes at most: growth of the tables and other processes included.
    ///
    /// Beside `queried` another thread asks that index the dearest questions, and it is what is inserted into.
    private static func longestWait(count: Int, beside queried: LabelIndex?) throws {
        let index = queried ?? LabelIndex()
        let isDone = Atomic(false)
        let expression = LabelMatcher(name: "station", operation: .matches, value: "st-0.*77") { $0.hasSuffix("77") }
        let waits = Mutex<[Duration]>([])
        let asked = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: queried == nil ? 1 : 2) { thread in
            if thread == 1 {
                while !isDone.load(ordering: .relaxed) {
                    _ = index.matching([expression], below: SeriesID(rawValue: .max))
                    asked.add(1, ordering: .relaxed)
                }
                return
            }
            let clock = ContinuousClock()
            var taken: [Duration] = []
            taken.reserveCapacity(count)
            for number in 0..<count {
                let labels = self.labels(queried == nil ? number : count + number)
                let start = clock.now
                _ = index.insert(labels)
                taken.append(clock.now - start)
            }
            isDone.store(true, ordering: .relaxed)
            waits.withLock { $0 = taken.sorted() }
        }
        let sorted = waits.withLock { $0 }
        try self.report(
            queried == nil ? "insertion_alone" : "insertion_beside_queries",
            [
                "longest_milliseconds": (sorted.last ?? .zero) / .milliseconds(1),
                "p9999_milliseconds": sorted[count * 9999 / 10_000] / .milliseconds(1),
                "queries": Double(asked.load(ordering: .relaxed)),
            ]
        )
    }

    /// From labels to number, and back.
    private static func lookups(_ index: LabelIndex, count: Int) throws {
        let labels = (0..<1000).map { self.labels($0 * (count / 1000)) }
        let ids = labels.compactMap { index.id(of: $0) }
        var time = self.processorSeconds()
        var found = 0
        for step in 0..<1_000_000 where index.id(of: labels[step % 1000]) != nil { found += 1 }
        try self.report("number_of_labels", ["nanoseconds": (self.processorSeconds() - time) * 1e3])
        time = self.processorSeconds()
        for step in 0..<1_000_000 { found += index.labels(of: ids[step % 1000]).count }
        try self.report("labels_of_number", ["nanoseconds": (self.processorSeconds() - time) * 1e3])
    }

    private static func report(_ name: String, _ numbers: [String: Double]) throws {
        var object: [String: Any] = ["name": name]
        for (key, value) in numbers { object[key] = (value * 1e4).rounded() / 1e4 }
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
        FileHandle.standardOutput.write(data + Data("\n".utf8))
    }

    /// Processor time of the whole process, which other processes on the machine disturb less than the clock.
    private static func processorSeconds() -> Double {
        Double(clock()) / Double(CLOCKS_PER_SEC)
    }

    private static func residentBytes() -> Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}

/// A general expression, as dear as they come.
private struct Expression: @unchecked Sendable {  // NSRegularExpression is immutable
    private let expression: NSRegularExpression

    init(_ expression: NSRegularExpression) { self.expression = expression }

    func matches(_ text: String) -> Bool {
        self.expression.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) != nil
    }
}
