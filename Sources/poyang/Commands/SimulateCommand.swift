// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Telemetry

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Publish plausible readings for registered devices over MQTT.",
        discussion: """
            Rain passes over the sites, rivers rise after it, soil takes it up; temperature,
            light and oxygen follow the hours. Values stay inside of each channel's range.
            Every message carries "simulated":true, so 'serve' without --exercise stores it
            only for test devices, and it never raises an Actual warning.

            Without --from it goes on from now, each device at its own interval, or all
            together at --rate, until --for is over or it is interrupted. With --from it
            makes the time from then until --to (now), each device at its own interval, as
            fast as --rate or the broker allows. The same --seed and --from give the same
            values.

              poyang simulate --from -1d --profile flood
              poyang simulate --devices 50 --rate 200/s --for 5m

            Profiles: calm; flood, with a great storm at the beginning that brings rivers
            above their threshold of orange; drought; faults, where four of ten devices are
            silent for hours, stuck, give spikes, send all twice, or have a wrong clock.
            """
    )

    @Option(help: ArgumentHelp("The first so many devices by their ids; all without it.", valueName: "n"))
    var devices: Int?
    @Option(help: ArgumentHelp("Messages a second, all devices together.", valueName: "n/s"))
    var rate: RateArgument?
    @Option(help: ArgumentHelp("calm, flood, drought or faults.", valueName: "name"))
    var profile = SimulationProfile.calm
    @Option(help: ArgumentHelp("Repeats a simulation.", valueName: "n"))
    var seed: UInt64 = 1
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Begin here instead of now.", valueName: "time"),
        transform: MomentArgument.read
    )
    var from: MomentArgument?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("End here; only with --from.", valueName: "time"),
        transform: MomentArgument.read
    )
    var to: MomentArgument?
    @Option(name: .customLong("for"), help: ArgumentHelp("End after so long; only without --from.", valueName: "span"))
    var span: SpanArgument?
    @Option(help: ArgumentHelp("The MQTT broker; also POYANG_BROKER.", valueName: "mqtt[s]://host:port"))
    var broker: String?
    @Option(help: ArgumentHelp("The data directory.", valueName: "dir"))
    var data: String?
    @Option(help: ArgumentHelp("A service to ask, instead of a data directory: http://HOST:PORT.", valueName: "url"))
    var url: String?
    @Option(help: ArgumentHelp("The token for --url; also POYANG_TOKEN.", valueName: "token"))
    var token: String?
    @Flag(help: "Print the messages, publish nothing.")
    var dryRun = false
    @OptionGroup var output: TableOptions

    func validate() throws {
        if let devices, devices < 1 { throw ValidationError("--devices \(devices): give a number from 1 on") }
        if self.from == nil, self.to != nil { throw ValidationError("--to goes with --from; give --for without it") }
        if self.from != nil, self.span != nil { throw ValidationError("--for goes without --from; give --to with it") }
        if let from, let to, to.time <= from.time { throw ValidationError("--to is not behind --from") }
        if self.dryRun, self.from == nil { throw ValidationError("--dry-run goes with --from, so that it has an end") }
    }

    func run() async throws {
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let start = self.from?.time ?? now
        let registry = try await self.registry()
        let devices = registry.simulated(count: self.devices, seed: self.seed, profile: self.profile)
        guard !devices.isEmpty else {
            throw CommandFailure(
                "no device is registered that could be simulated; register some with 'poyang devices import-csv FILE'"
            )
        }
        let weather = Weather(seed: self.seed, profile: self.profile, start: start)
        // Going on from now, the rate says how often each device reports.
        let interval =
            self.from == nil ? self.rate.map { max(1, Milliseconds(Double(devices.count) * 1000 / $0.perSecond)) } : nil
        var simulation = Simulation(devices, weather: weather, interval: interval)
        let end = self.from == nil ? self.span.map { start + $0.milliseconds } : self.to?.time ?? now
        let messages = end.map { end in
            devices.reduce(Int64(0)) { $0 + max(0, end - start) / (interval ?? $1.interval) + 1 }
        }
        if self.dryRun {
            while let time = simulation.nextTime, end.map({ time <= $0 }) ?? true {
                for message in simulation.next() { StandardOutput.write("\(message.topic) \(message.payload)") }
            }
            return
        }
        let publisher = try await BrokerPublisher(try BrokerLogin(self.broker), as: "simulate")
        StandardError.write(
            "\(devices.count) devices, profile \(self.profile.rawValue), seed \(self.seed), from \(start.rfc3339())"
        )
        var progress = Progress(total: messages, unit: "messages")
        let clock = ContinuousClock()
        let begun = clock.now
        while let time = simulation.nextTime, end.map({ time <= $0 }) ?? true {
            let pace =
                self.from == nil
                ? Double(time - start) / 1000 : self.rate.map { Double(progress.done) / $0.perSecond } ?? 0
            let moment = begun + .milliseconds(Int64(pace * 1000))
            // Sleeping is not that exact; behind, it makes up for it.
            if moment > clock.now + .milliseconds(2) { try await clock.sleep(until: moment) }
            for message in simulation.next() {
                try await publisher.publish(topic: message.topic, payload: Array(message.payload.utf8))
                progress.advance(by: 1)
            }
        }
        try await publisher.finish()
        progress.finish(saying: "simulated \(progress.done) messages of \(devices.count) devices, all acknowledged")
        guard self.output.json else { return }
        var table = Table(columns: ["messages", "devices", "profile", "seed", "from"])
        table.append([
            .integer(progress.done), .integer(Int64(devices.count)), .string(self.profile.rawValue),
            .integer(Int64(truncatingIfNeeded: self.seed)), .string(start.rfc3339()),
        ])
        table.print(asJSON: true, empty: "")
    }

    private func registry() async throws -> SimulatedRegistry {
        var arguments: [String] = []
        for (name, value) in [("--data", self.data), ("--url", self.url), ("--token", self.token)] {
            if let value { arguments += [name, value] }
        }
        return try await ConnectionOptions.parse(arguments)
            .withClient { client in
                SimulatedRegistry(
                    devices: try await client.get("/api/devices"),
                    models: try await client.get("/api/models"),
                    sites: try await client.get("/api/sites")
                )
            }
    }
}

/// Messages a second: `200/s`, `200`, or `30/m`.
struct RateArgument: ExpressibleByArgument, Hashable {
    let perSecond: Double

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let number = Double(first), number.isFinite, number > 0, parts.count <= 2 else {
            return nil
        }
        switch parts.count == 2 ? parts[1] : "s" {
        case "s": self.perSecond = number
        case "m", "min": self.perSecond = number / 60
        case "h": self.perSecond = number / 3600
        default: return nil
        }
    }
}
