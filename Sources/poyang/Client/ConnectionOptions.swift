// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Platform

/// Where a command finds the data: a running service by URL, or the service or the files of a data directory.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The data directory.", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("The device files, where no service runs on the data directory.", valueName: "dir"))
    var devices: String?

    @Option(help: ArgumentHelp("The rule files, where no service runs on the data directory.", valueName: "dir"))
    var rules: String?

    @Option(help: ArgumentHelp("A service to ask, instead of a data directory: http://HOST:PORT.", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("The token for --url; also POYANG_TOKEN.", valueName: "token"))
    var token: String?

    /// Who is at this machine; nil where a service elsewhere is asked, which knows the token.
    var login: String? { self.url == nil ? ProcessInfo.processInfo.environment["USER"] : nil }

    func validate() throws {
        guard self.url != nil else { return }
        if self.data != nil { throw ValidationError("--url and --data exclude each other; give one of them") }
    }

    /// Runs `body` with a client of the service meant by the options.
    ///
    /// With `--url` that service; else the one that holds `DATA/lock`, by its socket; else one started in this
    /// process for the time of `body`. A data directory that does not exist is made only where `creating` says so.
    /// `quietly` keeps the warnings of a service in this process back.
    func withClient<Result>(
        creating: Bool = false,
        quietly: Bool = false,
        _ body: (APIClient) async throws -> Result
    ) async throws -> Result {
        try await self.withClient(creating: creating, quietly: quietly) { client, _ in try await body(client) }
    }

    /// The same; `body` gets the platform itself, too, where it runs in this process.
    func withClient<Result>(
        creating: Bool,
        quietly: Bool = false,
        _ body: (APIClient, PlatformBackend?) async throws -> Result
    ) async throws -> Result {
        let environment = ProcessInfo.processInfo.environment
        if let url = self.url {
            return try await body(try APIClient(url: url, token: self.token ?? environment["POYANG_TOKEN"]), nil)
        }
        let data = self.data ?? environment["POYANG_DATA"] ?? "data"
        let directory = DataDirectory(path: data)
        guard let owner = directory.owner else {
            guard creating || FileManager.default.fileExists(atPath: data) else {
                throw CommandFailure(
                    "there is no data directory \(data); 'poyang serve' makes it, or name another by --data or --url"
                )
            }
            return try await withOfflineAPI(
                data: data,
                devices: self.devices ?? environment["POYANG_DEVICES"] ?? "Devices",
                rules: self.rules ?? environment["POYANG_RULES"] ?? "Rules",
                quietly: quietly
            ) { socket, backend in try await body(APIClient(socket: socket), backend) }
        }
        guard FileManager.default.fileExists(atPath: directory.socket) else {
            let number = owner.processID.map { "\($0)" } ?? "?"
            throw CommandFailure(
                "\(data) is in use by process \(number), which has no socket \(directory.socket); "
                    + "wait until it is ready or has ended, or ask it by --url URL --token T"
            )
        }
        return try await body(APIClient(socket: directory.socket), nil)
    }
}

/// `--json`, on every command that prints a table.
struct TableOptions: ParsableArguments {
    @Flag(help: "Print one JSON array of flat objects.")
    var json = false
}
