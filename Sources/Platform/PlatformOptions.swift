// poyang
// SPDX-License-Identifier: Apache-2.0

package import EarlyWarning

/// How a service is to run.
package struct PlatformOptions: Sendable {
    /// Where readings come from.
    package enum Broker: Sendable {
        /// `mqtt://HOST:PORT` or `mqtts://HOST:PORT`
        case url(String)
        /// A mosquitto of our own, a child on a free loopback port.
        case embedded
        /// Nowhere: the API alone, for a command that finds no service running.
        case none
    }

    /// An address to listen on; port 0 takes a free one.
    package struct Address: Sendable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// Whether only this machine can reach it.
        var isLoopback: Bool { self.host.hasPrefix("127.") || self.host == "::1" || self.host == "localhost" }
    }

    /// Whether readings come in and are judged; otherwise the directory is only looked at.
    var isService: Bool {
        if case .none = self.broker { false } else { true }
    }

    package var dataDirectory: String
    package var devicesDirectory: String
    package var rulesDirectory: String
    package var broker: Broker
    package var brokerUser: String?
    package var brokerPassword: String?
    /// A PEM file of the authorities that sign the broker's certificate.
    package var brokerAuthorityFile: String?
    /// A folder with the broker's files of passwords and rights, which the service writes; nil where others keep them.
    package var brokerAccounts: String?
    /// The broker's `pid_file`, by which it is told to read them again.
    package var brokerProcessIDFile: String?
    /// Nil: only the local socket is served.
    package var listen: Address?
    package var clock: RuleEngine.ClockMode
    /// Every message is Exercise, and simulated readings are taken from every device.
    package var exercise: Bool
    /// CAP's sender; nil until the office has configured one.
    package var sender: String?
    package var senderName: String
    /// How far the threads of queries stand behind all others, 0 … 19 (nice(1)).
    package var queryNiceness = 15
    /// When people are told of silence that is not urgent, in minutes after midnight of +08:00.
    package var morningListMinute = 8 * 60
    /// What is kept how long; of the rules that match a series the first counts.
    package var retention: [RetentionRule] = []

    package init(
        dataDirectory: String = "data",
        devicesDirectory: String = "Devices",
        rulesDirectory: String = "Rules",
        broker: Broker = .url("mqtt://127.0.0.1:1883"),
        listen: Address? = Address(host: "127.0.0.1", port: 8640),
        clock: RuleEngine.ClockMode = .wall,
        exercise: Bool = false
    ) {
        self.dataDirectory = dataDirectory
        self.devicesDirectory = devicesDirectory
        self.rulesDirectory = rulesDirectory
        self.broker = broker
        self.listen = listen
        self.clock = clock
        self.exercise = exercise
        self.senderName = "poyang"
    }
}
