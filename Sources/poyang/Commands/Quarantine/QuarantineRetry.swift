// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct QuarantineRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Take a refused payload in again, after what was wrong here was put right.",
        discussion: """
            It goes the way of a new message at its topic: of a device that was not registered,
            or had another model. Times are compared with its first receipt, and a value without a
            time is of that moment. What is taken in whole leaves quarantine; what was stored of it
            before is a duplicate. Only a payload that was kept whole can be taken in, and only where
            its device stood when it measured: what it sent before it was moved is entered by hand.
            Of a message in several packets the last one is named; the others go with it.

              poyang quarantine retry 12

            Exit code 1 when all of it is refused again.
            """
    )

    @Argument(help: "The number that 'quarantine list' shows.")
    var id: Int64
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let report = try await self.connection.withClient { client in
            try await client.post("/api/quarantine/\(self.id)/retry", members: [])
        }
        let columns = ["id", "taken", "refused", "reasons", "detail"]
        if self.output.json {
            Table(columns: columns, objects: [report]).print(asJSON: true, empty: "")
            return
        }
        let refused = report["refused"].integer ?? 0
        StandardOutput.write(
            "\(self.id): values taken \(report["taken"].cellText), refused \(refused)"
                + (refused == 0 ? "; it is no longer in quarantine" : ": \(report["detail"].cellText)")
        )
    }
}
