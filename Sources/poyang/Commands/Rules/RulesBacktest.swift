// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import DeviceCatalog
import EarlyWarning
import Foundation
import NIOHTTP1
import StrictYAML
import Telemetry

struct RulesBacktest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backtest",
        abstract: "Play stored history through rules: what they would have said, and how early.",
        discussion: """
            Stored readings from --from to --to go through the engine that serves, in the order
            of their times, with the thresholds of that day. Every change of an alert is printed,
            and for each one raised how long before the peak it came. Without --events the peak
            is that of what the rule compares, while its warning is in force; with --events it is
            the known one, and hits, misses and false alarms are counted: by the events of the
            period, at the sites that are played, of hazards that the rules warn of.

              poyang rules backtest --rules Rules/flood --from 2018-08-30 --to 2018-09-02
              poyang rules backtest --from 2016-01-01 --to 2018-12-31 --events floods.yaml --json
              cd ops/demo-data && poyang rules backtest --rules ../../Rules/flood \\
                --devices ../../Devices --map usgs-01581752.map.yaml --plot \\
                --history usgs_01581752_event1_20180831.csv

            --history plays recordings instead of a data directory: CSV with a map (as replay and
            import take them), or in the form of 'import --format csv'.

            Events are a YAML list, or CSV with these columns; hazard may be left out:

              - { name: flash flood, site: usgs-01581752, hazard: flood,
                  start: 2018-08-31T22:30Z, peak: 2018-08-31T23:30Z, end: 2018-09-01T02:00Z }

            A service that runs on the data directory does the work for --data; by --url it needs
            the token of an admin.
            """
    )

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The first moment.", valueName: "time"),
        transform: MomentArgument.read
    )
    var from: MomentArgument?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The last moment.", valueName: "time"),
        transform: MomentArgument.read
    )
    var to: MomentArgument?
    @Option(help: ArgumentHelp("Only this site; may be given several times.", valueName: "id"))
    var site: [String] = []
    @Option(help: ArgumentHelp("What did happen: YAML or CSV.", valueName: "file"))
    var events: String?
    @Option(help: ArgumentHelp("Play this recording, no data directory; several are merged.", valueName: "file"))
    var history: [String] = []
    @Option(help: ArgumentHelp("What its columns are: one for all recordings, or one each.", valueName: "map"))
    var map: [String] = []
    @Flag(help: "Draw what was compared, with thresholds and what was raised and ended.")
    var plot = false
    @Flag(help: "Print CSV.")
    var csv = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func validate() throws {
        if self.history.isEmpty {
            guard self.from != nil, self.to != nil else { throw ValidationError("give --from and --to") }
            if !self.map.isEmpty { throw ValidationError("--map goes with --history") }
        } else if self.connection.url != nil || self.connection.data != nil {
            throw ValidationError("--history needs no data directory; leave --data and --url out")
        }
        guard [0, 1, self.history.count].contains(self.map.count) else {
            throw ValidationError(
                "\(self.map.count) maps for \(self.history.count) recordings; give one for all, or one each"
            )
        }
        if let from = self.from, let to = self.to, to.time < from.time {
            throw ValidationError("--to is \(to.time), before --from, \(from.time)")
        }
        if [self.csv, self.output.json, self.plot].count(where: { $0 }) > 1 {
            throw ValidationError("--csv, --json and --plot exclude each other")
        }
    }

    func run() async throws {
        let problems = ProblemCollector()
        let path = self.connection.rules ?? RulesCheck.defaultFolder
        let texts = RuleFileLoader().texts(of: [path], problems: problems)
        let rules = RuleFileLoader().parse(texts, problems: problems)
        try problems.throwIfAny()
        if rules.alerts.isEmpty { throw CommandFailure("there is no alerting rule in \(path)") }
        let events = try self.events.map(KnownEvents.read)
        let progress = ShareProgress("playing")
        let (outcome, period) =
            self.history.isEmpty
            ? try await self.playStored(texts, progress) : try self.playRecordings(rules, progress)
        progress.finish()
        for failure in outcome.failures { StandardError.write("warning: \(failure)") }
        let report = BacktestReport(outcome, events: try events.map { try self.counted($0, outcome, period, rules) })
        if self.csv {
            StandardOutput.write(report.table.csvText)
        } else if self.output.json {
            report.table.print(asJSON: true, empty: "")
        } else {
            StandardOutput.write(report.text)
            if self.plot { for chart in report.charts(Terminal.current()) { StandardOutput.write("\n" + chart) } }
        }
    }

    /// The events that count; those that do not are mentioned.
    private func counted(
        _ events: [KnownEvent],
        _ outcome: Backtest.Outcome,
        _ period: ClosedRange<Timestamp>,
        _ rules: RuleSet
    ) throws -> [KnownEvent] {
        let counted: [KnownEvent]
        do {
            counted = try KnownEvent.judging(
                outcome,
                events,
                period: period,
                sites: self.site,
                hazards: Set(rules.alerts.map(\.hazard))
            )
        } catch {
            throw CommandFailure("\(self.events ?? ""): \(error)")
        }
        if counted.count < events.count {
            StandardError.write(
                "note: \(events.count - counted.count) of \(events.count) events do not count: they lie outside of the "
                    + "period, or no rule speaks of their site and hazard"
            )
        }
        return counted
    }

    private var curvePoints: Int { self.plot ? 240 : 0 }

    private typealias Played = (outcome: Backtest.Outcome, period: ClosedRange<Timestamp>)

    private func playStored(_ texts: [RuleFileText], _ progress: ShareProgress) async throws -> Played {
        guard let from = self.from, let to = self.to else { throw CommandFailure("give --from and --to") }
        let rules = texts.map { text in
            JSONValue.object([
                "path": .string(text.path), "name": .string(text.name), "hazard": .string(text.hazard),
                "text": .string(text.text),
            ])
        }
        var members: [(String, JSONValue)] = [
            ("rules", .array(rules)), ("from", .integer(from.time.milliseconds)),
            ("to", .integer(to.time.milliseconds)), ("curvePoints", .integer(Int64(self.curvePoints))),
        ]
        if !self.site.isEmpty { members.append(("sites", .array(self.site.map { .string($0) }))) }
        let report = try await self.connection.withClient { client in
            try await client.work(.POST, "/api/v1/rules/backtest", members: members, progress: progress.show)
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "+Inf",
            negativeInfinity: "-Inf",
            nan: "NaN"
        )
        let outcome = try decoder.decode(Backtest.Outcome.self, from: Data(report.jsonText.utf8))
        return (outcome, from.time...to.time)
    }

    private func playRecordings(_ rules: RuleSet, _ progress: ShareProgress) throws -> Played {
        let given = self.connection.devices ?? ProcessInfo.processInfo.environment["POYANG_DEVICES"]
        let folder = given ?? "Devices"
        let isThere = given != nil || FileManager.default.fileExists(atPath: folder)
        let catalog = isThere ? try Catalog(files: try CatalogFiles.load(directory: folder)) : .empty
        var recording = RecordedHistory(catalog: catalog)
        for (index, file) in self.history.enumerated() {
            try recording.read(file, map: self.map.count == 1 ? self.map[0] : self.map.isEmpty ? nil : self.map[index])
        }
        for note in recording.notes { StandardError.write("note: \(note)") }
        guard let span = recording.span else {
            throw CommandFailure("there is no reading in \(self.history.joined(separator: ", "))")
        }
        let sites = Set(recording.samples.lazy.map(\.series.labels.site))
        for site in self.site where !sites.contains(site) {
            throw CommandFailure(
                "the recordings have no reading of a site '\(site)'; "
                    + Spelling.advice(for: site, among: sites.filter { !$0.isEmpty }.sorted())
            )
        }
        var backtest = recording.backtest(rules)
        backtest.sites = self.site.isEmpty ? nil : self.site
        backtest.curvePoints = self.curvePoints
        let begin = self.from?.time ?? span.lowerBound
        let end = self.to?.time ?? span.upperBound
        guard begin <= end else {
            throw CommandFailure(
                "the recordings lie from \(span.lowerBound) to \(span.upperBound); none is in the period"
            )
        }
        var outcome = try backtest.run(from: begin, through: end, progress: progress.show)
        outcome.sites.formUnion(catalog.sites.keys)
        return (outcome, begin...end)
    }
}

/// Reads what did happen.
enum KnownEvents {
    /// - Throws: `ProblemList` or ``CommandFailure`` that names what is wrong.
    static func read(_ path: String) throws -> [KnownEvent] {
        guard path.hasSuffix(".csv") else {
            let text = String(decoding: try InputFile.readWhole(path), as: UTF8.self)
            return try KnownEvent.list(yaml: text, file: path)
        }
        let reader = try CSVReader(path)
        var events: [KnownEvent] = []
        while true {
            do {
                guard let record = try reader.next() else { return events }
                events.append(try self.event(record, reader))
            } catch let problem as RowProblem {
                throw CommandFailure("\(path):\(problem.line): \(problem.message)")
            }
        }
    }

    private static func event(_ record: CSVReader.Record, _ reader: CSVReader) throws -> KnownEvent {
        func text(_ name: String) throws -> String {
            guard let index = reader.header.firstIndex(of: name) else {
                throw CommandFailure(
                    "\(reader.path):1: no column '\(name)'; events have name, site, start, peak, end and may have hazard"
                )
            }
            return record.fields[index].trimmingBlanks()
        }
        func time(_ name: String) throws -> Timestamp {
            let text = try text(name)
            guard let time = Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes) else {
                throw RowProblem(line: record.line, message: "\(name) '\(text)' is no time")
            }
            return time
        }
        let hazard = reader.header.contains("hazard") ? try text("hazard") : ""
        let event = KnownEvent(
            name: try text("name"),
            site: try text("site"),
            hazard: hazard.isEmpty ? nil : Hazard(rawValue: hazard),
            start: try time("start"),
            peak: try time("peak"),
            end: try time("end")
        )
        guard event.start <= event.peak, event.peak <= event.end else {
            throw RowProblem(line: record.line, message: "an event has start <= peak <= end")
        }
        return event
    }
}
