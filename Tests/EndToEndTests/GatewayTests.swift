// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import Telemetry
import TestSupport
import Testing

/// Stations that speak SL 651 over TCP, a gateway, a mosquitto and the service.
struct GatewayTests {
    private struct Field {
        let folder: URL
        var broker: EmbeddedBroker
        let service: RunningService
        let gateway: RunningGateway

        func station(_ number: Int) throws -> FieldStation {
            try FieldStation("00" + String(62_300_000 + number), port: self.gateway.port)
        }

        func closed(_ reason: String) async throws {
            try await eventually("a connection closed as \(reason)") {
                self.gateway.events("closed").contains { ($0["text_en"] as? String ?? "").contains("(\(reason))") }
            }
        }

        func levels(_ number: Int) async throws -> [Double] {
            try await self.service.samples(of: "water_level_meters", at: "creek-\(number)").map(\.value)
        }
    }

    private static func brokerOptions(_ folder: URL, port: UInt16? = nil) -> EmbeddedBroker.Options {
        EmbeddedBroker.Options(directory: folder.appending(path: "broker"), port: port)
    }

    /// Three registered stations that report every five minutes.
    private func withField(_ arguments: [String] = [], _ body: (inout Field) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let broker = try EmbeddedBroker(Self.brokerOptions(folder))
            let data = folder.appending(path: "data").path
            let none = folder.appending(path: "none")
            try FileManager.default.createDirectory(at: none, withIntermediateDirectories: true)
            let service = try await RunningService.start([
                "--data", data, "--broker", "\(broker.address)", "--devices", none.path, "--rules", none.path,
            ])
            let list = folder.appending(path: "devices.csv")
            var text = "device_id,model,site_id,site_name,kind,interval,address\n"
            for number in 1...3 {
                text += "rtu-\(number),generic/sl651,creek-\(number),溪,river,5m,\(62_300_000 + number)\n"
            }
            try Data(text.utf8).write(to: list)
            let run = try await PoyangProcess.run(["devices", "import-csv", list.path, "--data", data])
            try #require(run.status == 0, "\(run.errors)")
            let gateway = try await RunningGateway.start(
                ["--broker", "\(broker.address)", "--data", data] + arguments
            )
            var field = Field(folder: folder, broker: broker, service: service, gateway: gateway)
            try await body(&field)
            try await gateway.stop()
            try await service.stop()
            field.broker.stop()
        }
    }

    private static var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
    private static func fullHour(_ time: Timestamp) -> Timestamp {
        Timestamp(milliseconds: time.milliseconds / .hour * .hour)
    }

    @Test(.timeLimit(.minutes(3)))
    func aStationThatWasAwayForTwoHoursIsBackFilledAndEachValueIsStoredOnce() async throws {
        try await self.withField { field in
            let now = Self.now
            let hour = Self.fullHour(now)
            let station = try field.station(1)
            for (serial, minutes) in [(1, -130), (2, -125)] {
                let observed = hour + Milliseconds(minutes) * .minute
                station.send(station.levels(serial: serial, sent: now, observed: observed, [18_820 + 180 + minutes]))
                let answer = try #require(try await station.answer())
                #expect(answer.function == 0x32 && answer.end == 0x04, "\(answer)")
                #expect(hexText(answer.body).hasPrefix("000\(serial)"))
            }
            // It was away for two hours; the newest comes first, and it is told to stay.
            station.send(station.levels(serial: 27, sent: now, observed: hour, [19_000]))
            let confirmed = try #require(try await station.answer())
            #expect(confirmed.end == 0x1B, "stay on line")
            let question = try #require(try await station.answer())
            #expect(question.function == 0x38 && question.end == 0x05)
            let start = hour - 3 * .hour
            let asked = FieldStation.time(start, 8) + FieldStation.time(hour, 8) + "0418" + "000005" + "3923"
            #expect(hexText(question.body.dropFirst(8)) == asked)

            // All of it, in two packets; the second way brings the same.
            let values = (0...36).map { (step: Int) -> String in FieldStation.digits(18_820 + step * 5, 8) }.joined()
            let body = hex(
                "\(FieldStation.head(28, now)) F1F1 \(station.address) 48 F0F0 \(FieldStation.time(start, 10)) "
                    + "0418000005 3923 \(values)"
            )
            let packets = [
                station.frame(0x38, hexText(body[..<60]), packet: (1, 2), end: 0x17),
                station.frame(0x38, hexText(body[60...]), packet: (2, 2)),
            ]
            for packet in packets { station.send(packet) }
            let whole = try #require(try await station.answer())
            #expect(
                whole.function == 0x38 && whole.end == 0x04 && whole.packetText == "2/2",
                "\(whole)"
            )
            #expect(hexText(whole.body).hasPrefix("001C"))
            let satellite = try field.station(1)
            satellite.send(station.levels(serial: 27, sent: now, observed: hour, [19_000]))
            #expect(try #require(try await satellite.answer()).function == 0x32)

            try await eventually("all levels") { try await field.levels(1).count == 37 }
            let expected: [Double] = (0...36).map { (step: Int) -> Double in Double(18_820 + step * 5) / 1000 }
            #expect(try await field.levels(1) == expected)
            #expect(field.gateway.events("filled").first?["text_zh"] as? String == "rtu-1：补到 Z 37 个数据")
            #expect(field.gateway.events("asked").count == 1)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func nothingIsConfirmedWhileTheBrokerIsAway() async throws {
        try await self.withField { field in
            let station = try field.station(1)
            let now = Self.now
            field.broker.stop()
            try await field.gateway.event("broker_away")
            let frame = station.levels(serial: 1, sent: now, observed: now - .minute, [19_070])
            station.send(frame)
            #expect(try await station.answer(within: 2) == nil)
            // It tries again, as the standard has it, and hangs up.
            station.send(frame)
            #expect(try await station.answer(within: 2) == nil)
            field.broker = try EmbeddedBroker(
                Self.brokerOptions(field.folder, port: field.broker.address.port)
            )
            for _ in 1...2 {
                let answer = try #require(try await station.answer(within: 60))
                #expect(answer.function == 0x32)
            }
            try await field.gateway.event("broker_back")
            try await eventually("the level") { try await field.levels(1) == [19.07] }
            #expect(try await field.service.status()["duplicates"] as? Int == 0)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func messagesInPacketsAreConfirmedOnceAndWhatIsMissingIsAskedFor() async throws {
        try await self.withField { field in
            let station = try field.station(1)
            let now = Self.now
            let body = hex(
                "\(FieldStation.head(7, now)) F1F1 \(station.address) 48 F0F0 "
                    + "\(FieldStation.time(now - 10 * .minute, 10)) 0418000005 3923 00019070 00019080"
            )
            func packet(_ number: Int, end: UInt8) -> [UInt8] {
                let part = body[(number - 1) * 13..<min(number * 13, body.count)]
                return station.frame(0x31, hexText(part), packet: (number, 3), end: end)
            }
            // Modems register; the second packet is damaged on the way.
            station.send(Array("13800001111".utf8) + packet(1, end: 0x17))
            var damaged = packet(2, end: 0x17)
            damaged[20] ^= 1
            station.send(damaged + packet(3, end: 0x03))
            let missing = try #require(try await station.answer())
            #expect(missing.end == 0x15 && missing.packetText == "2/3", "\(missing)")
            station.send(packet(2, end: 0x03))
            let confirmed = try #require(try await station.answer())
            #expect(confirmed.end == 0x04 && confirmed.packetText == "3/3", "\(confirmed)")
            try await eventually("both levels") { try await field.levels(1) == [19.07, 19.08] }

            // More follows: go on. A sign of life has no answer; a message of another's is answered all the same.
            let other = try field.station(2)
            other.send(other.frame(0x2F, FieldStation.head(1, now)))
            let announced =
                "\(FieldStation.head(1, now)) F1F1 \(other.address) 48 F0F0 \(FieldStation.time(now, 10)) 3923 00020000"
            other.send(other.frame(0x32, announced, end: 0x17))
            let goOn = try #require(try await other.answer())
            #expect(goOn.function == 0x32 && goOn.end == 0x06)
            // The damaged frame is kept where people look for it.
            try await eventually("the damaged frame") {
                let run = try await PoyangProcess.run([
                    "quarantine", "list", "--device", "rtu-1", "--data", field.folder.appending(path: "data").path,
                ])
                return run.output.contains("malformed")
            }
            // Nobody has this address; it can be seen nevertheless.
            let stranger = try field.station(99)
            stranger.send(stranger.levels(serial: 1, sent: now, observed: now, [1]))
            #expect(try #require(try await stranger.answer()).end == 0x04)
            try await field.gateway.event("unknown_station")
        }
    }

    /// Without a service: who has which address stands in a file.
    @Test(.timeLimit(.minutes(3)))
    func aGatewayThatWasRestartedStillKnowsWhatIsMissing() async throws {
        try await withTemporaryFolder { folder in
            let broker = try EmbeddedBroker(Self.brokerOptions(folder))
            defer { broker.stop() }
            let list = folder.appending(path: "stations.csv")
            try Data("device_id,address,interval\nrtu-1,62300001,5m\n".utf8).write(to: list)
            func gateway() async throws -> (process: PoyangProcess, port: UInt16) {
                let process = try PoyangProcess(
                    [
                        "gateway", "sl651", "--listen", "127.0.0.1:0", "--broker", "\(broker.address)", "--stations",
                        list.path, "--data", folder.appending(path: "data").path,
                    ],
                    environment: ["LC_ALL": "zh_CN.UTF-8"]
                )
                let port = try await process.announced("ready tcp://127.0.0.1:")
                try await eventually("the stations") { process.errors.contains("已登记带 SL 651 地址的设备 1 台") }
                return (process, try #require(UInt16(port)))
            }
            let (now, hour) = (Self.now, Self.fullHour(Self.now))
            let first = try await gateway()
            let before = try FieldStation("0062300001", port: first.port)
            before.send(before.levels(serial: 1, sent: now, observed: hour - 65 * .minute, [19_070]))
            #expect(try #require(try await before.answer()).end == 0x04)
            first.process.signal(SIGTERM)
            try await first.process.waitForExit()
            #expect(first.process.outcome.status == 0 && first.process.errors.contains("已停止；"))

            let second = try await gateway()
            let after = try FieldStation("0062300001", port: second.port)
            after.send(after.levels(serial: 2, sent: now, observed: hour, [19_080]))
            #expect(try #require(try await after.answer()).end == 0x1B)
            #expect(try #require(try await after.answer()).function == 0x38)
            #expect(second.process.errors.contains("rtu-1：Z 缺测"), "\(second.process.errors)")
            // A second gateway cannot have the same port.
            let taken = try await PoyangProcess.run([
                "gateway", "sl651", "--listen", "127.0.0.1:\(second.port)", "--stations", list.path, "--data",
                folder.path,
            ])
            #expect(taken.status == 1 && taken.errors.contains("cannot listen on"), "\(taken.errors)")
            second.process.signal(SIGTERM)
            try await second.process.waitForExit()
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func aClockThatIsOffIsSetTwiceWhereItIsFarOff() async throws {
        try await self.withField(["--set-clock"]) { field in
            let station = try field.station(3)
            let late = Self.now - 8 * .minute
            station.send(station.levels(serial: 1, sent: late, observed: late, [19_070]))
            #expect(try #require(try await station.answer()).end == 0x1B)
            for _ in 1...2 {
                let command = try #require(try await station.answer())
                #expect(command.function == 0x4A && command.end == 0x05)
                let set = try #require(Timestamp(rfc3339: Self.rfc3339(hexText(command.body.dropFirst(2)))))
                #expect(abs(set - Self.now) < 30 * .second)
                station.send(station.frame(0x4A, "\(FieldStation.head(2, set)) F1F1 \(station.address)"))
            }
            try await field.gateway.event("clock_set")
            let leave = try #require(try await station.answer())
            #expect(leave.function == 0x32 && leave.end == 0x04)
        }
    }

    /// From `YYMMDDHHmmSS`.
    private static func rfc3339(_ digits: String) -> String {
        let pairs = stride(from: 0, to: digits.count, by: 2).map { String(digits.dropFirst($0).prefix(2)) }
        return "20\(pairs[0])-\(pairs[1])-\(pairs[2])T\(pairs[3]):\(pairs[4]):\(pairs[5])+08:00"
    }

    @Test(.timeLimit(.minutes(3)))
    func slowGarbledAndOverlongConnectionsAreClosedWithAReasonAndCounted() async throws {
        try await self.withField(["--frame-timeout", "1s", "--connections", "3"]) { field in
            let frame = try field.station(1).levels(serial: 1, sent: Self.now, observed: Self.now, [19_070])
            let slow = try field.station(1)
            slow.send(Array(frame.prefix(20)))
            let trickle = Task {
                for byte in frame.dropFirst(20) {
                    slow.send([byte])
                    try await Task.sleep(for: .milliseconds(300))
                }
            }
            #expect(try await slow.isHungUpOn())
            trickle.cancel()
            try await field.closed("slow")

            let browser = try field.station(1)
            browser.send(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            #expect(try await browser.isHungUpOn())
            try await field.closed("garbage")

            let broken = try field.station(1)
            var damaged = frame
            damaged[damaged.count - 1] ^= 1
            for _ in 1...8 { broken.send(damaged) }
            #expect(try await broken.isHungUpOn())
            try await field.closed("damaged")

            let overlong = try field.station(1)
            let part = String(repeating: "00", count: 4000)
            for number in 1...300 {
                overlong.send(overlong.frame(0x36, part, packet: (number, 400), end: 0x17))
            }
            #expect(try await overlong.isHungUpOn())
            try await field.closed("oversized")

            // Those that are there are served, and one more is none.
            var open: [FieldStation] = []
            for number in 1...3 {
                let station = try field.station(number)
                station.send(station.levels(serial: 1, sent: Self.now, observed: Self.now, [19_070]))
                #expect(try #require(try await station.answer()).end == 0x04)
                open.append(station)
            }
            let oneMore = try field.station(1)
            #expect(try await oneMore.isHungUpOn())
            try await field.closed("too_many")
            withExtendedLifetime(open) {}
            field.gateway.process.signal(SIGTERM)
            try await field.gateway.event("stopped")
            let counts = try #require(field.gateway.events("stopped").first)
            for reason in ["slow", "garbage", "damaged", "oversized"] {
                #expect(counts["closed.\(reason)"] as? Int == 1, "\(counts)")
            }
            #expect(counts["forwarded"] as? Int == 3 && counts["confirmed"] as? Int == 3)
        }
    }
}
