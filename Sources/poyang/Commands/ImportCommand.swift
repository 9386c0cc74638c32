// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PayloadCodecs
import Platform
import SeriesStorage

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring in samples from files, past the rules.",
        discussion: """
            vm-jsonl is VictoriaMetrics's export: a line
            {"metric":{…},"values":[…],"timestamps":[ms, …]} per series.

            openmetrics is OpenMetrics text, a line per sample with its Unix time in
            seconds; prometheus is the same with milliseconds.

            csv has a header row and, without --map, a row per sample: 'time' (RFC 3339;
            without a zone read at +08:00), 'time_ms' or 'time_s' (Unix time), 'metric',
            'value', optionally 'quality' (1, 2, 3, 4, 9), 'method' (measured, manual,
            interpolated, gap_total) and 'simulated', and a column for each label (site,
            depth …); a blank label is left out, a row with a blank value too:

              time,metric,site,value
              2022-06-21T16:00:00+08:00,water_level_meters,xingzi,19.07

            With --map a column per series, in the maps of 'poyang replay' with a metric
            for each column:

              time: { column: time_utc, zone: UTC }
              columns:
                rain_in: { metric: rainfall_millimeters, labels: {site: x}, factor: 25.4 }

              curl -s http://old:8428/api/v1/export -d 'match={site!=""}' \\
                | poyang import --format vm-jsonl -

            Lines that are refused are printed with line and column; the others are
            stored. Exit code 1 when there is one. An import of a file that was
            interrupted goes on where it broke off when it is started again.
            """
    )

    @Option(help: "What the file holds.")
    var format: BulkFormat
    @Option(help: ArgumentHelp("What the columns of a CSV file are.", valueName: "map"))
    var map: String?
    @Flag(help: "Stop at the first line that is refused.")
    var strict = false
    @Flag(help: "Begin at the start, even if an interrupted import could go on.")
    var restart = false
    @Argument(help: "The file; - reads standard input.")
    var file: String
    @OptionGroup var table: TableOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if self.map != nil, self.format != .csv { throw ValidationError("--map goes with --format csv") }
        if self.map != nil, self.strict { throw ValidationError("--strict does not go with --map") }
    }

    func run() async throws {
        if let map = self.map { return try await self.runMapped(map) }
        let input: FileInput
        do {
            input = try FileInput(self.file)
        } catch let error as PlatformError {
            throw CommandFailure(error.message)
        }
        let summary = try await self.connection.withClient(creating: true) { client, backend in
            let transfer = BulkTransfer(
                client: client,
                backend: backend,
                file: input,
                format: self.format,
                isStrict: self.strict,
                source: try input.identity(format: self.format.rawValue)
            )
            return try await self.run(transfer)
        }
        if summary.isStopped { throw CommandFailure("stopped at the line above; what is before it is stored") }
        if summary.refused > 0 { throw CommandFailure("not all was imported: refused lines \(summary.refused)") }
    }

    private func run(_ transfer: BulkTransfer) async throws -> BulkSummary {
        let clock = ContinuousClock()
        let begin = clock.now
        let mark = self.restart ? nil : try await transfer.mark()
        if let mark {
            StandardError.write(
                "going on at line \(mark.lines + 1), byte \(mark.bytes), where the last import of \(self.file) broke off"
            )
        }
        let progress = ProgressLine(unit: "samples", start: mark?.bytes ?? 0, length: transfer.file.length)
        let summary = try await transfer.run(from: mark, progress: progress)
        let counts = summary.counts
        progress.finish(
            saying: "imported \(counts.stored + counts.revised) samples, \(counts.duplicates) were there already, "
                + "\(counts.revised) have a new value; refused \(summary.refused) of \(summary.lines) lines"
        )
        for error in summary.errors { StandardError.write("error: \(self.file):\(error)") }
        if summary.refused > summary.errors.count {
            StandardError.write("error: and \(summary.refused - Int64(summary.errors.count)) more lines")
        }
        if self.format == .openMetrics, !summary.hasEnd, !summary.isStopped, summary.lines > 0 {
            StandardError.write("warning: \(self.file) does not end with '# EOF'; it may be cut short")
        }
        if !summary.isStopped {
            try await transfer.finish { share in
                if StandardError.isTerminal { StandardError.overwrite("merging: \(Int(share * 100)) %") }
            }
            if StandardError.isTerminal { StandardError.overwrite("") }
        }
        if self.table.json {
            let members: [(key: String, value: JSONValue)] = [
                ("file", .string(self.file)), ("samples", .integer(summary.samples)),
                ("stored", .integer(Int64(counts.stored))), ("duplicates", .integer(Int64(counts.duplicates))),
                ("revised", .integer(Int64(counts.revised))), ("refused", .integer(summary.refused)),
                ("lines", .integer(summary.lines)), ("bytes", .integer(summary.bytes)),
                ("seconds", .number((clock.now - begin) / .seconds(1))),
            ]
            StandardOutput.write("[\(JSONValue.objectText(members))]")
        }
        return summary
    }

    private func runMapped(_ path: String) async throws {
        let result = try await self.connection.withClient(creating: true) { client in
            var upload = ImportUpload(client: client, file: self.file)
            let map = try RecordingMap.load(path, for: self.file)
            try await ImportSource.copyMappedCSV(self.file, map: map, to: &upload)
            let result = try await upload.finish()
            _ = try await client.post("/api/v1/import/finish")
            return result
        }
        guard result.refused == 0 else { throw CommandFailure("\(result.refused) lines were refused; see above") }
    }
}

extension BulkFormat: ExpressibleByArgument {}
