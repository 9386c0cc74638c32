// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import Telemetry
import TestSupport
import Testing

/// What people say of values that others measured (`Tests/QualityData/labels.csv`), beside what the tests say.
struct QualityLabelTests {
    /// A span of one column of a file, and whether its values are right.
    struct Label: CustomTestStringConvertible {
        /// What nobody should doubt, what is to be suspect, what is impossible, and what nobody can say.
        enum Verdict: String { case good, fault, fail, open }

        var series: RecordedColumn.Source
        var from: Timestamp
        var through: Timestamp
        var verdict: Verdict
        var reason: String

        var testDescription: String { "\(self.series.file) \(self.series.column) \(self.from): \(self.reason)" }
    }

    static let labels: [Label] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "QualityData/labels.csv")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(whereSeparator: \.isNewline).dropFirst()
            .compactMap { line in
                let fields = line.split(separator: ",", maxSplits: 6, omittingEmptySubsequences: false).map(String.init)
                guard fields.count == 7, let verdict = Label.Verdict(rawValue: fields[5]),
                    let from = Timestamp(rfc3339: fields[3].replacing(" ", with: "T") + ":00Z"),
                    let through = Timestamp(rfc3339: fields[4].replacing(" ", with: "T") + ":00Z")
                else { return nil }
                return Label(
                    series: RecordedColumn.Source(file: fields[0], rows: fields[1], column: fields[2]),
                    from: from,
                    through: through,
                    verdict: verdict,
                    reason: fields[6]
                )
            }
    }()

    @Test func everyLineOfTheLabelsIsReadAndSaysWhy() throws {
        #expect(Self.labels.count == 32)
        #expect(Self.labels.allSatisfy { $0.reason.count > 3 && $0.from <= $0.through })
    }

    @Test(.enabled(if: RecordedColumn.folder != nil, "the folder of shared data is missing; set POYANG_SHARED"))
    func noGoodValueIsDoubtedAndNoFaultIsMissed() throws {
        var (good, faults, falseSuspicions, misses) = (0, 0, [String](), [String]())
        for (source, labels) in Dictionary(grouping: Self.labels, by: \.series) {
            let column = try RecordedColumn(source)
            let marks = try column.marks()
            for label in labels {
                var isSeen = false
                for (time, mark) in zip(column.times, marks) where time >= label.from && time <= label.through {
                    isSeen = true
                    let said = "\(source.column) \(time) \(mark.quality) \(mark.failedTest?.description ?? "-")"
                    switch label.verdict {
                    case .good:
                        good += 1
                        if !Self.isGood(mark) { falseSuspicions.append(said) }
                    case .fault:
                        faults += 1
                        if mark.quality != .suspect { misses.append(said) }
                    case .fail:
                        faults += 1
                        if mark.quality != .fail { misses.append(said) }
                    case .open: break
                    }
                }
                #expect(isSeen, "no value: \(label)")
            }
        }
        print("labels: \(good) good values, \(faults) faults; \(falseSuspicions.count) doubted, \(misses.count) missed")
        #expect(falseSuspicions.isEmpty, "\(falseSuspicions.count): \(falseSuspicions.sorted().prefix(40))")
        #expect(misses.isEmpty, "\(misses)")
        #expect(good > 600_000 && faults == 10)
    }

    @Test(
        .enabled(if: RecordedColumn.folder != nil, "the folder of shared data is missing; set POYANG_SHARED"),
        arguments: [
            "river/usgs_01581752_event1_20180831.csv", "river/usgs_01581752_event2_20170818.csv",
            "river/usgs_01581752_event3_20160225.csv",
        ]
    )
    func noValueOfAFloodFailsOrIsDoubted(file: String) throws {
        for column in ["gage_height_ft", "discharge_cfs", "water_temp_c", "spec_cond_us_cm", "turbidity_fnu"] {
            let recorded = try RecordedColumn(.init(file: file, rows: "", column: column))
            #expect(!recorded.times.isEmpty)
            #expect(try recorded.marks().allSatisfy(Self.isGood))
        }
    }

    /// Where nothing is known of a metric but what is possible, a value is not evaluated.
    private static func isGood(_ mark: SampleMark) -> Bool { mark.quality == .pass || mark.quality == .notEvaluated }

    /// The audit of the record doubts more than 200 mm a day as the mean of a basin, and only the value of 2019-05-19 is
    /// known to be wrong.
    @Test(.enabled(if: RecordedColumn.folder != nil, "the folder of shared data is missing; set POYANG_SHARED"))
    func theRainOfTheGanBasinThatCannotBeIsSuspectAndNotImpossible() throws {
        let rows = try RecordedColumn.rows(of: "poyang/extremes_to_review.csv")
        let row = try #require(rows.first { $0["date"] == "2019-05-19" })
        let value = try #require(row["value"].flatMap(Double.init))
        let threshold = try #require(row["review_threshold"].flatMap(Double.init))
        #expect(value > 679 && threshold == 200)
        var parameters = QualityParameters()
        parameters.grossRange = 0...threshold
        let plan = QualityPlan(parameters, metric: "rainfall_millimeters", schedule: .periodic(.day))
        let days = (0..<3).map { Fixture.now + Milliseconds($0) * .day }
        let marks = QualityFlags.marks(
            times: days,
            values: [12.5, value, 3],
            marks: [.measured, .measured, .measured],
            plan: plan
        )
        #expect(QualityStateTests.text(marks) == ".r.")
    }

    /// In 2020 all seven basins of the record have the same rain on all 366 days, 165 of them wet; in the other years wet
    /// days never agree (`duplicate_precip_audit.csv`).
    @Test(.enabled(if: RecordedColumn.folder != nil, "the folder of shared data is missing; set POYANG_SHARED"))
    func theYearThatIsOneBasinsCopyIsFound() throws {
        var generator = SeededGenerator(seed: 2020)
        for row in try RecordedColumn.rows(of: "poyang/duplicate_precip_audit.csv") {
            let days = try #require(row["days_in_year"].flatMap(Int.init))
            let wet = try #require(row["all7_identical_nonzero_days"].flatMap(Int.init))
            // The days on which the basins agree, as the audit counts them; on others each has its own rain.
            let isCopy = row["entire_year_all7_identical"] == "True"
            let shared = generator.year(days: days, wet: max(wet, 120))
            let other = isCopy ? shared : generator.year(days: days, wet: 120)
            let fails = IdenticalTest.fails(shared, other: other, changes: 10)
            #expect(fails.allSatisfy { $0 == isCopy }, "\(row)")
        }
    }
}

/// A column of a file of others, as the tests see it.
struct RecordedColumn {
    struct Source: Hashable {
        var file: String
        /// Which rows, by their column `sonde`; empty for all.
        var rows: String
        var column: String
    }

    static let folder: URL? = {
        let environment = ProcessInfo.processInfo.environment
        let repository = URL(filePath: Fixture.devicesDirectory).deletingLastPathComponent()
        let folder =
            (environment["POYANG_SHARED"].map { URL(filePath: $0) }
            ?? repository.deletingLastPathComponent().appending(path: "shared"))
            .appending(path: "data")
        return FileManager.default.fileExists(atPath: folder.path) || environment["CI"] == "true" ? folder : nil
    }()

    private static let columns: [String: (metric: String, unit: String)] = [
        "oxy": ("dissolved_oxygen_milligrams_per_liter", "mg/L"), "temp": ("water_temperature_celsius", "°C"),
        "water_temp_c": ("water_temperature_celsius", "°C"), "gage_height_ft": ("water_level_meters", "ft"),
        "discharge_cfs": ("discharge_cubic_meters_per_second", "cfs"), "rain_in": ("rainfall_millimeters", "in"),
        "spec_cond_us_cm": ("conductivity_microsiemens_per_centimeter", "µS/cm"),
        "turbidity_fnu": ("turbidity_ntu", "FNU"),
    ]

    let times: [Timestamp]
    let values: [Double]
    private let plan: QualityPlan

    init(_ source: Source) throws {
        let (metric, unit) = try #require(Self.columns[source.column])
        let parsed = try #require(Unit(named: unit))
        var samples: [Timestamp: Double] = [:]
        for row in try Self.rows(of: source.file) where source.rows.isEmpty || row["sonde"] == source.rows {
            guard let value = row[source.column].flatMap(Double.init), let time = Self.time(of: row) else { continue }
            samples[time] = parsed.toCanonical(value)
        }
        self.times = samples.keys.sorted()
        self.values = self.times.compactMap { samples[$0] }
        self.plan = QualityPlan(
            QualityDefaults.parameters(of: metric) ?? QualityParameters(),
            metric: metric,
            schedule: .periodic(5 * .minute)
        )
    }

    func marks() throws -> [SampleMark] {
        QualityFlags.marks(
            times: self.times,
            values: self.values,
            marks: self.values.map { _ in .measured },
            plan: self.plan
        )
    }

    static func rows(of file: String) throws -> [[String: String]] {
        let path = try #require(Self.folder).appending(path: file)
        var text = try file.hasSuffix(".gz") ? Self.unpacked(path) : String(contentsOf: path, encoding: .utf8)
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        let lines = text.split(whereSeparator: \.isNewline)
        let names = try #require(lines.first).split(separator: ",").map(String.init)
        return lines.dropFirst()
            .map { line in
                let fields = line.split(separator: ",", omittingEmptySubsequences: false)
                return Dictionary(uniqueKeysWithValues: zip(names, fields).map { ($0, String($1)) })
            }
    }

    private static func unpacked(_ path: URL) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = ["-dc", path.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    /// Of any of the files; local times are read as UTC, which no test here minds.
    private static func time(of row: [String: String]) -> Timestamp? {
        if let time = row["time_utc"] { return Timestamp(rfc3339: time) }
        if let time = row["local_time_america_chicago"] {
            return Timestamp(rfc3339: time.replacing(" ", with: "T") + "Z")
        }
        guard let date = row["date"]?.split(separator: "/"), date.count == 3,
            let clock = row["time"]?.split(separator: ":"),
            let month = Int(date[0]), let day = Int(date[1]), let year = Int(date[2]), let hour = Int(clock[0]),
            let minute = Int(clock[1])
        else { return nil }
        return CivilTime(year: year, month: month, day: day, hour: hour, minute: minute).timestamp(offsetMinutes: 0)
    }
}

extension SeededGenerator {
    /// Made-up daily rain: wet days among dry ones.
    fileprivate mutating func year(days: Int, wet: Int) -> QualityColumn {
        var values = [Double](repeating: 0, count: days)
        for index in 0..<wet { values[index * days / wet] = Double(Int.random(in: 1...900, using: &self)) / 10 }
        return QualityColumn(times: (0..<days).map { Fixture.now + Milliseconds($0) * .day }, values: values)
    }
}
