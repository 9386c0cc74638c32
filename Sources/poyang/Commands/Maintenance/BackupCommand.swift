// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import NIOHTTP1

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write everything to one file while the service goes on.",
        discussion: """
            The file is a tar archive of catalog.db, samples.db and a manifest with their
            hashes; it is compressed where its name ends in .tar.zst. It is whole or not
            there. Readings and rules go on meanwhile. It takes twice the size of the data
            beside FILE while it is made. With --url the file is on the service's machine.

              poyang backup /srv/backup/poyang-2026-06-21.tar.zst
            """
    )

    @Flag(help: "Replace the file if there is one.")
    var force = false
    @Argument(help: "The file to write.")
    var file: String
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let path = URL(filePath: self.file).standardizedFileURL.path
        let progress = ShareProgress("backing up")
        let answer: JSONValue
        do {
            answer = try await self.connection.withClient { client in
                try await client.work(
                    .POST,
                    "/api/backup",
                    members: [("file", .string(path)), ("force", .bool(self.force))]
                ) { progress.show($0) }
            }
        } catch {
            progress.finish()
            throw error
        }
        progress.finish()
        let table = Table(columns: ["file", "bytes", "committed", "processed"], objects: [answer])
        table.print(asJSON: self.output.json, empty: "")
    }
}
