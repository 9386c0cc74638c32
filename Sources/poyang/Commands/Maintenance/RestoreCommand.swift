// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Platform
import Telemetry

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a backup into a data directory.",
        discussion: """
            The hashes and everything in the backup are checked before a file is touched.
            A directory that holds data is refused; with --force what is there is put aside
            as DATA/replaced-TIME. The service must not run. Afterwards a broker may send
            again what it has not seen acknowledged: that is recognised.

              poyang restore /srv/backup/poyang-2026-06-21.tar.zst --data data
            """
    )

    @Flag(help: "Put data that are there aside.")
    var force = false
    @Argument(help: "The backup.")
    var file: String
    @Option(help: ArgumentHelp("The data directory.", valueName: "dir"))
    var data: String?

    func run() async throws {
        let data = self.data ?? ProcessInfo.processInfo.environment["POYANG_DATA"] ?? "data"
        let progress = ShareProgress("restoring")
        defer { progress.finish() }
        let stamp = Platform.wallTime().rfc3339().filter { $0.isNumber || $0 == "T" }.prefix(15)
        let report = try await Restore.run(
            self.file,
            into: DataDirectory(path: data),
            force: self.force,
            stamp: String(stamp)
        ) { progress.show($0) }
        progress.finish()
        StandardError.write(
            "restored \(data) as of \(report.madeAt): batch \(report.committed), processed up to \(report.processed)"
        )
        if let replaced = report.replaced { StandardError.write("what was there is in \(replaced)") }
    }
}
