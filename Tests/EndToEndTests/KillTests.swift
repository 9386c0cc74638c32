// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import TestSupport
import Testing

/// The service dies in the middle of a stream, again and again: nothing is lost and nothing is stored twice.
struct KillTests {
    /// Small here; `ops/soak` sets 200,000 readings and 20 kills.
    private static let readings = Int(ProcessInfo.processInfo.environment["POYANG_KILL_READINGS"] ?? "") ?? 8_000
    private static let kills = Int(ProcessInfo.processInfo.environment["POYANG_KILLS"] ?? "") ?? 4

    private static let keys = [
        "water_temperature_celsius", "dissolved_oxygen_milligrams_per_liter", "ph", "battery_volts",
    ]
    private static let topic = "poyang/v1/devices/coop-pond-1-node/telemetry"

    /// Reading number `index`: three of four carry their own time; the others count on the receive time.
    private static func message(_ index: Int) -> (topic: String, payload: [UInt8]) {
        let key = Self.keys[index % 4]
        let json =
            index % 4 == 3
            ? #"{"\#(key)":\#(index)}"#
            : #"{"ts":\#(1_700_000_000_000 + index * 1000),"values":{"\#(key)":\#(index)}}"#
        return (Self.topic, Array(json.utf8))
    }

    /// The broker of a test, and the folder of the service that reads from it.
    private struct Place {
        let broker: EmbeddedBroker
        let data: String
        var environment: [String: String] = [:]

        init(_ folder: URL) throws {
            self.broker = try EmbeddedBroker(EmbeddedBroker.Options(directory: folder.appendingPathComponent("broker")))
            self.data = folder.appendingPathComponent("data").path
        }

        var arguments: [String] { ["--data", self.data, "--broker", "\(self.broker.address)"] }

        func launch() async throws -> RunningService {
            try await RunningService.launch(self.arguments, environment: self.environment)
        }

        func start() async throws -> RunningService {
            try await RunningService.start(self.arguments, environment: self.environment)
        }
    }

    @Test(.timeLimit(.minutes(30)), arguments: Crash.allCases)
    func everyReadingIsStoredExactlyOnce(crash: Crash) async throws {
        try await withTemporaryFolder { folder in
            var place = try Place(folder)
            defer { place.broker.stop() }
            if crash == .powerCut {
                place.environment = try await Fault("powercut", in: folder).powerCut(data: place.data)
            }
            var generator = SeededGenerator.announced()
            var service = try await place.start()
            let stream = try TestStream(to: "\(place.broker.address)")
            async let publishing: Void = stream.run(Self.readings, Self.message)
            let portion = Self.readings / (Self.kills + 1)
            for kill in 1...Self.kills {
                // The stream flows on beyond the kill, while nobody is there and while the next one starts.
                stream.open(to: portion * kill + portion / 2)
                try await stream.reached(portion * kill - Int.random(in: 0..<portion / 2, using: &generator))
                #expect(stream.acknowledged < Self.readings, "the stream was over before kill \(kill)")
                service.process.signal(crash.signal)
                try await service.process.waitForExit()
                // Some die again before they have caught up.
                service = Bool.random(using: &generator) ? try await place.launch() : try await place.start()
            }
            stream.open(to: Self.readings)
            try await publishing
            let values = try await self.values(service, to: "\(place.broker.address)")
            let twice = Dictionary(grouping: values) { $0 }.filter { $1.count > 1 }.keys.sorted()
            #expect(twice.isEmpty, "stored twice: \(twice.count), such as \(twice.prefix(8)) … \(twice.suffix(3))")
            let lost = Set(0..<Self.readings).subtracting(values).sorted()
            #expect(lost.isEmpty, "lost: \(lost.count), such as \(lost.prefix(8)) … \(lost.suffix(3))")
            #expect(Set(values).isSubset(of: 0..<Self.readings))
            try await service.stop()
        }
    }

    /// The power cut must be able to harm: on a disk that lies about flushing, as without it, readings are lost.
    @Test(.timeLimit(.minutes(2)))
    func withoutFlushingAPowerCutLosesReadings() async throws {
        try await withTemporaryFolder { folder in
            var place = try Place(folder)
            defer { place.broker.stop() }
            let fault = try await Fault("powercut", in: folder)
            // The identity that the broker knows is made and kept before.
            try await place.start().stop()
            place.environment = fault.powerCut(data: place.data, ignoresFlush: true)
            var service = try await place.start()
            let count = 2_000
            let stream = try TestStream(to: "\(place.broker.address)")
            async let publishing: Void = stream.run(count, Self.message)
            stream.open(to: count / 2)
            try await service.settled(messages: count / 4)
            service.process.signal(Crash.powerCut.signal)
            try await service.process.waitForExit()
            #expect(service.process.outcome.status == 137)
            place.environment = [:]
            service = try await place.start()
            stream.open(to: count)
            try await publishing
            let values = try await self.values(service, to: "\(place.broker.address)")
            #expect(Set(values).count < count, "nothing was lost, so this test cannot see a loss")
            #expect(values.count == Set(values).count)
            try await service.stop()
        }
    }

    /// All stored values, once the last message of the stream has been judged.
    private func values(_ service: RunningService, to broker: String) async throws -> [Int] {
        let last = #"{"ts":1700000000000,"values":{"signal_dbm":-1}}"#
        try await TestPublisher.publish([(Self.topic, Array(last.utf8))], to: broker)
        try await eventually("the last message", within: .seconds(300)) {
            try await service.samples(of: "signal_dbm", at: "coop-pond-1").count == 1
        }
        var values: [Int] = []
        for key in Self.keys { values += try await service.samples(of: key, at: "coop-pond-1").map { Int($0.value) } }
        return values
    }
}
