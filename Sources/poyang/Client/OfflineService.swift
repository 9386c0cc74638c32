// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Foundation
import Logging
import Platform
import ServiceLifecycle

/// Runs `body` against the service's HTTP interface while no `serve` runs on the data directory.
///
/// The data directory `data` is locked while `body` runs; `devices` and `rules` are the folders of the files. `body` is
/// called with the path of the Unix socket that answers. Nothing comes in over MQTT meanwhile, and no clock moves: a look
/// at the data must not make silence out of the time since the service ended.
func withOfflineAPI<Result>(
    data: String,
    devices: String,
    rules: String,
    _ body: (_ socket: String) async throws -> Result
) async throws -> Result {
    let options = PlatformOptions(
        dataDirectory: data,
        devicesDirectory: devices,
        rulesDirectory: rules,
        broker: .none,
        listen: nil,
        clock: .data
    )
    var logger = Logger(label: "poyang") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .error
    let platform = try Platform.build(options, logger: logger) { _ in }
    let group = ServiceGroup(services: [PlatformService(platform: platform)], logger: logger)
    let running = Task { try await group.run() }
    do {
        let socket = "\(data)/poyang.sock"
        try await OfflineService.awaitAnswer(from: socket, within: .seconds(20))
        let result = try await body(socket)
        await group.triggerGracefulShutdown()
        try await running.value
        return result
    } catch {
        await group.triggerGracefulShutdown()
        _ = await running.result
        throw error
    }
}

private enum OfflineService {
    /// Returns when the service answers on its socket.
    static func awaitAnswer(from socket: String, within patience: Duration) async throws {
        let client = APIClient(socket: socket)
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while true {
            do {
                _ = try await client.getBytes("/-/healthy")
                return
            } catch {
                guard clock.now < deadline else { throw error }
            }
            try await clock.sleep(for: .milliseconds(5))
        }
    }
}
