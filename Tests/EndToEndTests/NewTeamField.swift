// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

/// A new team's devices, and what carries their readings to the broker: the gateway over TCP, the network server over TLS.
final class NewTeamField: Sendable {
    /// The one that is away for two hours.
    static let lost = 1
    /// The vendor's example of an uplink: 57.5 % at 28.1 ℃.
    static let example = hex("017564 03671901 046873 057FF000")

    let gateway: RunningGateway
    let server: NetworkServer
    let stations: [FieldStation]

    init(_ team: NewTeam, gateway: NewTeam.Account, networkServer: NewTeam.Account) async throws {
        self.gateway = try await RunningGateway.start(
            ["--broker", team.broker.plainURL, "--data", team.data.path],
            environment: ["POYANG_BROKER_USER": gateway.name, "POYANG_BROKER_PASSWORD": gateway.password]
        )
        self.server = try NetworkServer(networkServer, at: team.broker)
        let port = self.gateway.port
        self.stations = try (0..<NewTeam.stations).map { try FieldStation("00" + NewTeam.address($0), port: port) }
    }

    /// A station sends a level, which is to be confirmed.
    func send(_ millimeters: Int, of number: Int, at time: Timestamp, serial: Int) {
        let station = self.stations[number]
        station.send(station.levels(serial: serial, sent: time, observed: time, [millimeters]))
    }

    /// A station sends the counter of its rain gauge, in tenths of a millimetre.
    func sendRain(_ tenths: Int, of number: Int, at time: Timestamp, serial: Int) {
        let station = self.stations[number]
        let body =
            "\(FieldStation.head(serial, time)) F1F1 \(station.address) 48 F0F0 \(FieldStation.time(time, 10)) "
            + "2619 \(FieldStation.digits(tenths, 6))"
        station.send(station.frame(0x32, body))
    }

    /// Waits until a station is told that its message has arrived.
    func confirmed(_ number: Int, serial: Int) async throws {
        let answer = try #require(try await self.stations[number].answer(), "rtu-\(number) has no answer")
        let head = FieldStation.head(serial, NewTeam.start).prefix(4)
        #expect(answer.function == 0x32 && hexText(answer.body).hasPrefix(head), "rtu-\(number): \(answer)")
    }

    /// A node reports its soil moisture, in hundredths of a percent.
    static func moisture(_ hundredths: Int) -> [UInt8] {
        [0x04, 0xCA, UInt8(hundredths & 0xFF), UInt8(hundredths >> 8)]
    }

    /// All hundred report, every five minutes of their own time, until it is cancelled; returns how often.
    func reportOn() async throws -> Int {
        var rounds = 0
        while !Task.isCancelled {
            rounds += 1
            let later = Milliseconds(rounds) * 5 * .minute
            for number in self.stations.indices {
                let start = NewTeam.start + (number == Self.lost ? 2 * .hour : 0)
                self.send(19_200 + rounds, of: number, at: start + later, serial: 100 + rounds)
            }
            for number in 0..<NewTeam.nodes {
                try await self.server.pass(
                    Self.moisture(2000 + rounds),
                    of: NewTeam.eui(number),
                    at: (NewTeam.start + later).rfc3339(),
                    count: rounds
                )
            }
            for number in self.stations.indices { try await self.confirmed(number, serial: 100 + rounds) }
        }
        return rounds
    }
}
