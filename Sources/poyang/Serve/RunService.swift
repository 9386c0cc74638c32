// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Foundation
import Logging
import Platform
import ServiceLifecycle
import UnixSignals

/// Runs the service until it is told to stop: SIGTERM and SIGINT end it in order, SIGHUP reads the files again.
///
/// - Throws: `PlatformError` where it cannot start: a port taken, a data directory in use; `ProblemList` where files do
///   not load.
func runService(_ options: ServeOptions) async throws {
    var logger = Logger(label: "poyang") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = Logger.Level(rawValue: options.logLevel) ?? .info
    let platform = try Platform.build(PlatformOptions(options), logger: logger) { line in StandardError.write(line) }
    let reload = ReloadOnHangUp(client: APIClient(socket: "\(options.data)/poyang.sock"), logger: logger)
    let group = ServiceGroup(
        services: [PlatformService(platform: platform), reload],
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger
    )
    try await group.run()
}

/// A platform as one service of a group.
struct PlatformService: Service {
    let platform: Platform

    func run() async throws { try await self.platform.run() }
}

/// Lets the service read its files again when the process gets SIGHUP.
private struct ReloadOnHangUp: Service {
    let client: APIClient
    let logger: Logger

    func run() async throws {
        let (hangUps, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP)
        source.setEventHandler { continuation.yield() }
        source.resume()
        defer { source.cancel() }
        for await _ in hangUps.cancelOnGracefulShutdown() {
            do {
                let loaded = try await self.client.post("/api/reload")
                self.logger.notice("files applied", metadata: ["loaded": "\(loaded.jsonText)"])
            } catch {
                self.logger.error("files not applied; the former ones stay", metadata: ["reason": "\(error)"])
            }
        }
    }
}

extension PlatformOptions {
    init(_ options: ServeOptions) {
        let broker: PlatformOptions.Broker
        switch options.broker {
        case .url(let url): broker = .url(url)
        case .embedded: broker = .embedded
        }
        self.init(
            dataDirectory: options.data,
            devicesDirectory: options.devices,
            rulesDirectory: options.rules,
            broker: broker,
            listen: Address(host: options.host, port: options.port),
            clock: options.clock == .wall ? .wall : .data,
            exercise: options.isExercise
        )
        self.brokerUser = options.brokerUser
        self.brokerPassword = options.brokerPassword
        self.brokerAuthorityFile = options.brokerAuthority
        self.sender = options.sender
        if let name = options.senderName { self.senderName = name }
        self.logLevel = Logger.Level(rawValue: options.logLevel) ?? .info
    }
}
