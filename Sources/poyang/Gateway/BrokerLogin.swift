// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import MQTTIngest

/// The broker that a command publishes to: `--broker` or POYANG_BROKER, with the account of POYANG_BROKER_USER, _PASSWORD
/// and _AUTHORITY.
struct BrokerLogin {
    let address: BrokerAddress
    private let credentials: MQTTCredentials?

    /// - Throws: ``CommandFailure`` when the text is no address.
    init(_ option: String?, environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        func text(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        do {
            self.address = try BrokerAddress(option ?? text("POYANG_BROKER") ?? "mqtt://127.0.0.1:1883")
        } catch {
            throw CommandFailure("--broker: \(error)")
        }
        let user = text("POYANG_BROKER_USER")
        let authority = text("POYANG_BROKER_AUTHORITY")
        self.credentials =
            user == nil && authority == nil
            ? nil
            : MQTTCredentials(
                user: user ?? "",
                password: text("POYANG_BROKER_PASSWORD") ?? "",
                authorityFile: authority
            )
    }

    /// A publisher that is not started yet; `name` is what the broker's log shows.
    func publisher(name: String, logger: Logger) -> MQTTPublisher {
        let process = ProcessInfo.processInfo.processIdentifier
        return MQTTPublisher(
            MQTTPublisher.Options(
                broker: self.address,
                clientID: "poyang-\(name)-\(process)",
                credentials: self.credentials
            ),
            logger: logger
        )
    }
}
