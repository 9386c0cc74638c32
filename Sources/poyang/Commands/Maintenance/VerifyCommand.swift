// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import HTTPAPI
import NIOHTTP1
import Platform

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check everything on disk, and save the rest of what is damaged.",
        discussion: """
            Reads both databases completely: every page, every batch of the journal, every
            block and chunk with its checksum and statistics, and the ledger's chain. What is
            damaged is printed with its series and span, one line each; the exit code is 1
            then. While a service runs on the data directory, the service checks itself and
            goes on.

            With --salvage everything that can be read is written to a new data directory.
            Blocks with damaged chunks are packed anew without these; a series whose labels
            are lost is called poyang_salvaged{series="N"}. The service must not run.

              poyang verify
              poyang verify --salvage data.saved && poyang serve --data data.saved
            """
    )

    @Option(help: ArgumentHelp("Write what can be read to this new data directory.", valueName: "dir"))
    var salvage: String?
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func validate() throws {
        if self.salvage != nil, self.connection.url != nil {
            throw ValidationError("--salvage works on the files themselves; it does not go with --url")
        }
    }

    func run() async throws {
        let data = self.connection.data ?? ProcessInfo.processInfo.environment["POYANG_DATA"] ?? "data"
        let directory = DataDirectory(path: data)
        if self.connection.url == nil, !FileManager.default.fileExists(atPath: directory.samples) {
            throw CommandFailure("there is no \(directory.samples); name the data directory by --data")
        }
        let progress = ShareProgress(self.salvage == nil ? "verifying" : "saving")
        let report: DataVerificationReport
        do {
            report = try await self.report(directory, progress)
        } catch {
            progress.finish()
            throw error
        }
        progress.finish()
        self.print(report)
        guard report.damages.isEmpty else {
            let advice =
                self.salvage == nil
                ? "'poyang verify --salvage DIR' saves what can be read, 'poyang restore' puts a backup back"
                : "the new directory is damaged itself: check the disk"
            throw CommandFailure("\(report.damages.count) damages; \(advice)")
        }
    }

    private func report(_ directory: DataDirectory, _ progress: ShareProgress) async throws -> DataVerificationReport {
        if let salvage = self.salvage {
            if let owner = directory.owner {
                let number = owner.processID.map { " (pid \($0))" } ?? ""
                throw CommandFailure("a service\(number) uses \(directory.path); stop it before its files are saved")
            }
            let (notes, report) = try await DataVerification.salvage(directory, to: salvage) { progress.show($0) }
            for note in notes { StandardError.write(note) }
            return report
        }
        if self.connection.url == nil, directory.owner == nil {
            return try await DataVerification.run(directory) { progress.show($0) }
        }
        let answer = try await self.connection.withClient { client in
            try await client.work(.GET, "/api/verify") { progress.show($0) }
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(DataVerificationReport.self, from: Data(answer.jsonText.utf8))
    }

    private func print(_ report: DataVerificationReport) {
        var table = Table(columns: ["what", "series", "from", "through", "block", "message"])
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        for damage in report.damages {
            table.append([
                .string(damage.what), text(damage.series), text(damage.from), text(damage.through),
                damage.block.map { .integer($0) } ?? .null, .string(damage.message),
            ])
        }
        if self.output.json || !report.damages.isEmpty { table.print(asJSON: self.output.json, empty: "") }
        let found = report.damages.isEmpty ? "all is well" : "damaged"
        StandardError.write(
            "\(found): \(report.series) series, \(report.samples) samples in \(report.chunks) chunks and "
                + "\(report.blocks) blocks, \(report.journalEntries) batches in the journal, \(report.revisions) "
                + "revisions, \(report.quarantined) quarantined payloads, \(report.ledgerFacts) facts of the ledger"
        )
    }
}
