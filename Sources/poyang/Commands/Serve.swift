// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the service: ingest, rules, warnings, HTTP.",
        discussion: """
            Needs no option: data in data/, files in Devices/ and Rules/, broker
            mqtt://127.0.0.1:1883, HTTP on 127.0.0.1:8640. The line 'ready
            http://HOST:PORT' goes to standard error. A broker that cannot be reached does
            not stop it: it tries again, and /-/ready answers 503 meanwhile. SIGTERM ends
            it in order, SIGHUP reads Devices/ and Rules/ again.

            A first look, without a broker of your own and without real warnings:

              poyang serve --embedded-broker --exercise --listen 127.0.0.1:0

            Options come from flags, then the environment, then the file named by --config
            or POYANG_CONFIG. The environment has POYANG_DATA, _DEVICES, _RULES, _BROKER,
            _EMBEDDED_BROKER, _LISTEN, _CLOCK, _EXERCISE and what has no flag: _BROKER_USER,
            _BROKER_PASSWORD, _BROKER_AUTHORITY (a PEM file), _BROKER_ACCOUNTS and
            _BROKER_PID_FILE (ops/mosquitto.conf), _SENDER and _SENDER_NAME (of
            CAP messages), _LOG_LEVEL, _QUERY_NICENESS, _MORNING_LIST (when the day's list of
            silent devices is sent, 08:00). The file is YAML with the same names in lower
            case: data, devices, rules, broker, broker_user … and, in the file only, what is kept
            how long (without it everything, for ever); the first rule that matches counts:

              retention:
                - match: 'battery_volts{org="yunshang"}'
                  keep: 90d
                  thin: [{ after: 30d, to: 1h, by: average }]
            """
    )

    @Option(help: ArgumentHelp("The data directory (default: data).", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("The device files (default: Devices).", valueName: "dir"))
    var devices: String?

    @Option(help: ArgumentHelp("The rule files (default: Rules).", valueName: "dir"))
    var rules: String?

    @Option(help: ArgumentHelp("The MQTT broker (default: mqtt://127.0.0.1:1883).", valueName: "mqtt[s]://host:port"))
    var broker: String?

    @Flag(help: "Start a mosquitto on a free loopback port and print its URL.")
    var embeddedBroker = false

    @Option(help: ArgumentHelp("Where HTTP listens; port 0 takes a free one.", valueName: "host:port"))
    var listen: String?

    @Option(help: ArgumentHelp("What moves the clocks of silent sites: wall or data.", valueName: "clock"))
    var clock: ServeOptions.Clock?

    @Flag(inversion: .prefixedNo, help: "Every message is an exercise; simulated readings count.")
    var exercise: Bool?

    @Option(help: ArgumentHelp("A YAML file with settings.", valueName: "file"))
    var config: String?

    func validate() throws {
        if self.broker != nil, self.embeddedBroker {
            throw ValidationError("--broker and --embedded-broker exclude each other; give one of them")
        }
        if let broker = self.broker, !broker.hasPrefix("mqtt://"), !broker.hasPrefix("mqtts://") {
            throw ValidationError("--broker '\(broker)': write mqtt://HOST:PORT or mqtts://HOST:PORT")
        }
    }

    func run() async throws {
        let options = try self.options(environment: ProcessInfo.processInfo.environment)
        try await runService(options)
    }

    /// Flags before environment before file.
    func options(environment: [String: String]) throws -> ServeOptions {
        var flags = ServeSettings()
        flags.data = self.data
        flags.devices = self.devices
        flags.rules = self.rules
        flags.broker = self.embeddedBroker ? .embedded : self.broker.map { .url($0) }
        flags.listen = self.listen
        flags.clock = self.clock
        flags.isExercise = self.exercise
        var layers = [flags, try ServeSettings(environment: environment)]
        if let path = self.config ?? environment["POYANG_CONFIG"], !path.isEmpty {
            layers.append(try ServeSettings(file: path))
        }
        return try ServeOptions(layers: layers)
    }
}

extension ServeOptions.Clock: ExpressibleByArgument {}
