// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct DevicesExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write devices and their sites as the CSV file that 'import-csv' takes.",
        discussion: """
            Imported where it came from it changes nothing. Surveys, maintenance, history and
            credentials are not in it: 'poyang backup' has everything.

              poyang devices export --output devices.csv
            """
    )

    @Option(help: ArgumentHelp("Only devices at this site.", valueName: "id"))
    var site: String?
    @Option(help: ArgumentHelp("The file to write (default: standard output).", valueName: "file"))
    var output: String?
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let csv = try await self.connection.withClient { client in
            try await client.getBytes("/api/devices/export", query: [("site", self.site)])
        }
        let devices = csv.count { $0 == UInt8(ascii: "\n") } - 1
        guard let output else {
            StandardOutput.write(String(decoding: csv.dropLast(), as: UTF8.self))
            return
        }
        do {
            try csv.write(to: URL(fileURLWithPath: output), options: .atomic)
        } catch {
            throw CommandFailure("cannot write \(output): \(error.localizedDescription)")
        }
        StandardError.write("\(output): \(devices) devices")
    }
}
