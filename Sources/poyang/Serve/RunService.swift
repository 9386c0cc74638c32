// poyang
// SPDX-License-Identifier: Apache-2.0

/// Runs the service until it is told to stop.
///
/// - Throws: ``CommandFailure`` where it cannot start: a port taken, a data directory in use, files that do not load.
func runService(_ options: ServeOptions) async throws {
    throw CommandFailure("this build has no service; build the package as a whole with 'swift build'")
}
