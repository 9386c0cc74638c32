// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why something could not be done with a broker.
package struct MQTTError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure: bounded, so it may be a metric label.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case wrongAddress = "wrong_address"
            case unreachable
            case refused
            case connectionLost = "connection_lost"
            case protocolViolation = "protocol_violation"
            case brokerMissing = "broker_missing"
            case brokerFailed = "broker_failed"
            case timeout
            case stopped
            case library
        }
        private let kind: Kind

        package static let wrongAddress = Code(kind: .wrongAddress)
        /// No connection could be made.
        package static let unreachable = Code(kind: .unreachable)
        /// The broker answered no.
        package static let refused = Code(kind: .refused)
        package static let connectionLost = Code(kind: .connectionLost)
        package static let protocolViolation = Code(kind: .protocolViolation)
        /// The mosquitto program is not installed.
        package static let brokerMissing = Code(kind: .brokerMissing)
        /// A broker of our own did not start.
        package static let brokerFailed = Code(kind: .brokerFailed)
        package static let timeout = Code(kind: .timeout)
        /// The client was told to stop before it could.
        package static let stopped = Code(kind: .stopped)
        /// Anything else that the library reports.
        package static let library = Code(kind: .library)

        package var description: String { self.kind.rawValue }
    }

    package let code: Code
    /// What went wrong and, where possible, what to do about it.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { self.message }
}
