// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Logging
import Platform
import StrictYAML

/// Serves the API of a data directory on its socket for the time of `body`, where no service is running.
///
/// The directory is locked meanwhile; nothing is read from a broker and no port is opened. No clock moves either: a look
/// at the data must not make silence out of the time since the service ended.
///
/// - Throws: ``CommandFailure`` when the directory cannot be opened, `ProblemList` when a file is wrong; what `body` throws.
func withOfflineAPI<Result>(
    data: String,
    devices: String,
    rules: String,
    quietly: Bool = false,
    _ body: (_ socket: String, _ backend: PlatformBackend) async throws -> Result
) async throws -> Result {
    var logger = Logger(label: "poyang") { label -> any LogHandler in
        if quietly { SwiftLogNoOpLogHandler() } else { StreamLogHandler.standardError(label: label) }
    }
    logger.logLevel = .warning
    let options = PlatformOptions(
        dataDirectory: data,
        devicesDirectory: devices,
        rulesDirectory: rules,
        broker: .none,
        listen: nil,
        clock: .data
    )
    let platform: Platform
    do {
        platform = try Platform.build(options, logger: logger, announce: { _ in })
    } catch let problems as ProblemList {
        throw problems
    } catch {
        throw CommandFailure("\(error)")
    }
    return try await platform.serveSocket { socket in try await body(socket, platform.backend) }
}
