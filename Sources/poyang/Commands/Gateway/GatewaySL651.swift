// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FieldGateway
import Foundation
import Logging
import MQTTIngest
import Platform
import ServiceLifecycle
import Telemetry
import UnixSignals

struct GatewaySL651: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sl651",
        abstract: "Listen on TCP for stations that speak SL 651-2014.",
        discussion: """
            A frame is published to poyang/v1/devices/{device}/sl651 of the device that has
            the station's address, and confirmed to the station only when the broker has
            acknowledged it. While the broker is away nothing is confirmed, so stations
            keep and repeat what they have. What a message in packets lacks is asked for
            again, hours that are missing are asked for by function 38, clocks are set by
            4A where --set-clock says so. The same message over a second way is published
            once. Ends in order on SIGTERM.

              poyang gateway sl651 --listen 0.0.0.0:6510
              poyang gateway sl651 --listen 0.0.0.0:6510 --set-clock --drift 2m \\
                  --url https://poyang.example:8640 --token T --broker mqtts://broker:8883

            Who has which address is asked of the service (--data, or --url with a token of
            role device-admin), or read from a file of 'poyang devices export'
            (--stations). The broker's account comes from POYANG_BROKER_USER, _PASSWORD and
            _AUTHORITY; 'poyang devices credentials --gateway NAME' makes one that may write
            poyang/v1/devices/+/sl651.

            SL 651 knows nobody but by address: let only the network of your stations (a
            private APN, a VPN) reach this port.

            Lines on standard error say what happens; with --json each is an object on
            standard output.
            """
    )

    @Option(help: ArgumentHelp("Where stations connect; port 0 takes a free one.", valueName: "host:port"))
    var listen = "127.0.0.1:6510"
    @Option(help: ArgumentHelp("The MQTT broker; also POYANG_BROKER.", valueName: "mqtt[s]://host:port"))
    var broker: String?
    @Option(
        help: ArgumentHelp("A CSV file with device_id, address and interval, instead of a service.", valueName: "csv")
    )
    var stations: String?
    @Flag(help: "Set clocks that are off (function 4A).")
    var setClock = false
    @Option(help: ArgumentHelp("How far a clock may be off.", valueName: "span"))
    var drift = SpanArgument(milliseconds: .minute)
    @Option(help: ArgumentHelp("How far back missing hours are asked for; 0 never asks.", valueName: "span"))
    var backfill = SpanArgument(milliseconds: 7 * .day)
    @Flag(help: "Always tell stations to stay on line (ESC instead of EOT).")
    var stayOnline = false
    @Option(help: ArgumentHelp("Connections at a time; one more is closed.", valueName: "n"))
    var connections = 2000
    @Option(help: ArgumentHelp("How long a frame may take from its first byte to its last.", valueName: "span"))
    var frameTimeout = SpanArgument(milliseconds: 15 * .second)
    @Option(help: ArgumentHelp("How long a connection may be without a frame.", valueName: "span"))
    var idle = SpanArgument(milliseconds: 10 * .minute)
    @Option(
        help: ArgumentHelp(
            "Where what is known of gaps is kept (default: gateway-sl651.json in the data directory).",
            valueName: "file"
        )
    )
    var state: String?
    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Print what happens as JSON lines.")
    var json = false

    func validate() throws {
        if !(1...100_000).contains(self.connections) {
            throw ValidationError("--connections \(self.connections): give a number from 1 to 100000")
        }
        if self.frameTimeout.milliseconds < 100 || self.idle.milliseconds < 100 {
            throw ValidationError("--frame-timeout and --idle are spans such as 15s or 10m")
        }
        if self.drift.milliseconds < 10 * .second {
            throw ValidationError("--drift is at least 10s: the way to the gateway takes time, too")
        }
        if self.stations != nil, self.connection.url != nil {
            throw ValidationError("--stations and --url exclude each other; give one of them")
        }
    }

    func run() async throws {
        do {
            try OpenFiles.prepare(connections: self.connections)
        } catch let error as PlatformError {
            throw CommandFailure("\(error.message), or take fewer with --connections")
        }
        let environment = ProcessInfo.processInfo.environment
        let (host, port) = try ServeOptions.address(self.listen)
        var options = GatewayOptions(host: host, port: port)
        options.setsClocks = self.setClock
        options.drift = self.drift.milliseconds
        options.backfill = self.backfill.milliseconds
        options.keepsOnline = self.stayOnline
        options.connections = self.connections
        options.frameTimeout = self.frameTimeout.milliseconds
        options.idle = self.idle.milliseconds
        let data = self.connection.data ?? environment["POYANG_DATA"] ?? "data"
        options.stateFile = self.state ?? "\(data)/gateway-sl651.json"
        let source = StationSource(file: self.stations, connection: self.connection)
        if let file = self.stations { _ = try StationSource.stations(ofFile: file) }
        let lines = GatewayLines(asJSON: self.json)
        var logger = Logger(label: "gateway") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        let gateway = SL651Gateway(
            options,
            publisher: try BrokerLogin(self.broker).publisher(name: "gateway", logger: logger),
            now: { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) },
            stations: { try await source.stations() },
            report: { lines.write($0) }
        )
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [ServiceGroupConfiguration.ServiceConfiguration(service: gateway)],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        do {
            try await group.run()
        } catch let error as GatewayError {
            throw CommandFailure(error.message)
        }
    }
}
