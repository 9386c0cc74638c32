// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Logging
import Platform
import StrictYAML

/// Runs the service until it is told to stop.
///
/// - Throws: ``CommandFailure`` where it cannot start: a port taken, a data directory in use; `ProblemList` where a file is
///   wrong.
func runService(_ options: ServeOptions) async throws {
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "poyang")
    logger.logLevel = Logger.Level(rawValue: options.logLevel) ?? .info
    do {
        try OpenFiles.prepare(connections: HTTPServers.leastConnections)
        let platform = try Platform.build(PlatformOptions(options), logger: logger) { StandardError.write($0) }
        try await platform.run()
    } catch let error as CommandFailure {
        throw error
    } catch let problems as ProblemList {
        throw problems
    } catch {
        throw CommandFailure("\(error)")
    }
}

extension PlatformOptions {
    init(_ options: ServeOptions) {
        let broker: Broker
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
        self.brokerAccounts = options.brokerAccounts
        self.brokerProcessIDFile = options.brokerPidFile
        self.sender = options.sender
        self.retention = options.retention
        self.queryNiceness = options.queryNiceness
        self.morningListMinute = options.morningList
        if let name = options.senderName { self.senderName = name }
    }
}
