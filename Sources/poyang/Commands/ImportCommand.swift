// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring in samples from files, past the rules.",
        discussion: """
            vm-jsonl is VictoriaMetrics's export: a line
            {"metric":{…},"values":[…],"timestamps":[ms, …]} per series.

            csv has a header row and, without --map, a row per sample: 'time' (RFC 3339;
            without a zone read at +08:00) or 'time_ms' (Unix milliseconds), 'metric',
            'value', and a column for each label (site, depth …); a blank label is left
            out, a row with a blank value too:

              time,metric,site,value
              2022-06-21T16:00:00+08:00,water_level_meters,xingzi,19.07

            With --map a column per series, in the maps of 'poyang replay' with a metric
            for each column:

              time: { column: time_utc, zone: UTC }
              columns:
                rain_in: { metric: rainfall_millimeters, labels: {site: x}, factor: 25.4 }

              curl -s http://old:8428/api/v1/export -d 'match={site!=""}' \\
                | poyang import --format vm-jsonl -

            Lines that are refused are printed with their numbers; the others are stored.
            Exit code 1 when there is one.
            """
    )

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case csv
        case vmJSONLines = "vm-jsonl"
    }

    @Option(help: "What the file holds.")
    var format: Format
    @Option(help: ArgumentHelp("What the columns of a CSV file are.", valueName: "map"))
    var map: String?
    @Argument(help: "The file; - reads standard input.")
    var file: String
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if self.map != nil, self.format != .csv { throw ValidationError("--map goes with --format csv") }
    }

    func run() async throws {
        let result = try await self.connection.withClient(creating: true) { client in
            var upload = ImportUpload(client: client, file: self.file)
            switch (self.format, self.map) {
            case (.vmJSONLines, _): try await ImportSource.copyLines(of: self.file, to: &upload)
            case (.csv, nil): try await ImportSource.copyLongCSV(self.file, to: &upload)
            case (.csv, .some(let path)):
                let map = try RecordingMap.load(path, for: self.file)
                try await ImportSource.copyMappedCSV(self.file, map: map, to: &upload)
            }
            return try await upload.finish()
        }
        guard result.refused == 0 else { throw CommandFailure("\(result.refused) lines were refused; see above") }
    }
}
