// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import Testing

private func chirpStack(_ text: String, _ event: ChirpStackCodec.Event = .up) -> DecodedMessage {
    var codec = ChirpStackCodec()
    codec.event = event
    return decoded(text, &codec)
}

private func thingsStack(_ text: String) -> DecodedMessage {
    var codec = ThingsStackCodec()
    return decoded(text, &codec)
}

func decoded(_ text: String, _ codec: inout some PayloadCodec) -> DecodedMessage {
    var message = DecodedMessage()
    codec.decode(Array(text.utf8).span, into: &message)
    return message
}

extension DecodedMessage {
    /// The values by their keys.
    var values: [String: Double] {
        Dictionary(self.readings.map { ($0.key, $0.value) }) { first, _ in first }
    }
}

struct ChirpStackCodecTests {
    private let info = #""deviceInfo":{"tenantName":"ChirpStack","devEui":"0101010101010101","tags":{"key":"value"}}"#
    private let time = #""time":"2022-07-18T09:34:15.775023242+00:00""#

    /// The example of the documentation.
    @Test func readsTheUplinkOfTheDocumentation() throws {
        let message = chirpStack(
            #"""
            {"deduplicationId":"3ac7e3c4-4401-4b8d-9386-a5c902f9202d",\#(self.time),\#(self.info),
             "devAddr":"00189440","dr":1,"fPort":1,"data":"qg==",
             "rxInfo":[{"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-36,"snr":10.5,"context":"E3OWOQ==",
             "metadata":{"region_name":"eu868","region_common_name":"EU868"}}],
             "txInfo":{"frequency":867100000,"modulation":{"lora":{"bandwidth":125000,"spreadingFactor":11}}}}
            """#
        )
        #expect(message.refusals.isEmpty)
        #expect(message.senders == [.init(name: .address("0101010101010101"), firstReading: 0)])
        #expect(message.frame.isPresent && message.frame.port == 1 && message.frame.bytes == [0xAA])
        #expect(message.frame.time == Timestamp(rfc3339: "2022-07-18T09:34:15.775Z"))
        #expect(message.values == ["signal_dbm": -36, "signal_to_noise_decibels": 10.5])
        #expect(message.readings.allSatisfy { $0.time == message.frame.time })
    }

    /// The example of the documentation.
    @Test func readsTheStatusOfTheDocumentation() {
        let message = chirpStack(
            #"{"time":"2022-07-18T09:35:06.927172638+00:00",\#(self.info),"margin":10,"batteryLevel":88.3}"#,
            .status
        )
        #expect(
            message.values == ["link_margin_decibels": 10, "battery_percent": 88.3, "external_power_state": 0]
        )
        #expect(!message.frame.isPresent)
    }

    @Test func whatAStatusLeavesOutIsZero() {
        #expect(chirpStack("{\(self.time),\(self.info)}", .status).values["battery_percent"] == 0)
        let mains = chirpStack(#"{\#(self.time),\#(self.info),"externalPowerSource":true}"#, .status)
        #expect(mains.values == ["link_margin_decibels": 0, "external_power_state": 1])
        let unknown = chirpStack(#"{\#(self.time),\#(self.info),"batteryLevelUnavailable":true}"#, .status)
        #expect(unknown.values["battery_percent"] == nil)
    }

    @Test func takesNumbersThatAreTextsAndObjectsWithinObjects() {
        let message = chirpStack(
            #"""
            {\#(self.time),\#(self.info),"fPort":"2","object":{"temp":"13.25","air":{"humidity":"5e1"},"open":true,
             "node":"LSE01","none":null,"list":[1,2],"count":"-7","almost":"12 V"}}
            """#
        )
        #expect(message.values == ["temp": 13.25, "air.humidity": 50, "open": 1, "count": -7])
        #expect(message.frame.port == 2 && message.frame.decodedByServer == 4)
        #expect(message.refusals.isEmpty)
    }

    @Test func theStrongestGatewayCounts() {
        let receptions = #"[{"rssi":-110,"snr":-7.5},{"rssi":-80},{"gatewayId":"x"},{"rssi":-99,"snr":3}]"#
        let message = chirpStack(#"{\#(self.time),\#(self.info),"rxInfo":\#(receptions)}"#)
        #expect(message.values == ["signal_dbm": -80, "signal_to_noise_decibels": 0])
    }

    @Test func withoutATimeOfTheEventTheGatewaysCounts() {
        let receptions = #"[{"rssi":-110,"gwTime":"2022-07-18T09:34:16+00:00"},{"nsTime":"2022-07-18T09:34:15+00:00"}]"#
        let message = chirpStack(#"{\#(self.info),"object":{"a":1},"rxInfo":\#(receptions)}"#)
        #expect(message.readings.map(\.time) == Array(repeating: Timestamp(rfc3339: "2022-07-18T09:34:15Z"), count: 3))
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"deviceInfo":{}}"#, #"{"deviceInfo":{"devEui":"01"},"data":"q"}"#,
        #"{"deviceInfo":{"devEui":"01"},"data":"qg=a"}"#, "\u{0A}\u{24}3ac7e3c4",
    ])
    func refusesWhatIsNoEvent(text: String) {
        let message = chirpStack(text)
        #expect(message.readings.isEmpty)
        #expect(message.refusals.map(\.reason) == [.malformed])
    }

    @Test(arguments: [
        ("AQ==", [1]), ("AQ", [1]), ("AQI=", [1, 2]), ("AQID", [1, 2, 3]), (#"\/\/79"#, [0xFF, 0xFE, 0xFD]),
        ("__79", [0xFF, 0xFE, 0xFD]), ("+/79", [0xFB, 0xFE, 0xFD]),
    ])
    func readsBothAlphabetsOfBase64(text: String, bytes: [UInt8]) {
        let message = chirpStack(#"{\#(self.info),"data":"\#(text)"}"#)
        #expect(message.frame.bytes == bytes)
    }
}

struct ThingsStackCodecTests {
    private let ids =
        #""end_device_ids":{"device_id":"dev1","application_ids":{"application_id":"app1"},"dev_eui":"0004A30B001C0530"}"#

    /// The example of the documentation.
    @Test func readsTheUplinkOfTheDocumentation() {
        let message = thingsStack(
            #"""
            {\#(self.ids),"correlation_ids":["as:up:01E0WZGT6Y7657CPFPE5WEYDSQ"],
             "received_at":"2020-02-12T15:15:46.014773143Z",
             "uplink_message":{"session_key_id":"AXA50tHUGUucuzS/bCGMNw==","f_cnt":1,"frm_payload":"gkHe",
             "decoded_payload":{"temperature":1.0,"luminosity":0.64},
             "rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1","eui":"9C5C8E00001A05C4"},
             "time":"2020-02-12T15:15:45.787Z","timestamp":2463457000,"rssi":-35,"channel_rssi":-35,"snr":5}],
             "settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":7}},"frequency":"868300000",
             "time":"2020-02-12T15:15:45.787Z"},"consumed_airtime":"0.056576s",
             "locations":{"user":{"latitude":37.97,"longitude":23.72,"altitude":10,"source":"SOURCE_REGISTRY"}},
             "received_at":"2020-02-12T15:15:45.789585559Z"}}
            """#
        )
        #expect(message.senders == [.init(name: .address("0004A30B001C0530"), firstReading: 0)])
        #expect(message.frame.bytes == [0x82, 0x41, 0xDE] && message.frame.port == nil)
        #expect(message.frame.time == Timestamp(rfc3339: "2020-02-12T15:15:45.789Z"))
        #expect(
            message.values == [
                "temperature": 1, "luminosity": 0.64, "signal_dbm": -35, "signal_to_noise_decibels": 5,
            ]
        )
    }

    /// The example of the starter kit's documentation.
    @Test func theBatteryHasTheTimeOfItsReport() {
        let message = thingsStack(
            #"""
            {\#(self.ids),"uplink_message":{"f_port":2,"frm_payload":"sQAAEAHlANcB",
             "decoded_payload":{"batteryVoltage":3.4,"thermistorProperlyConnected":true},
             "received_at":"2025-04-16T12:54:13.787593298Z",
             "last_battery_percentage":{"f_cnt":14,"value":90.118576,"received_at":"2025-04-16T11:54:13.787593298Z"}}}
            """#
        )
        let battery = message.readings.first { $0.key == "battery_percent" }
        #expect(battery?.value == 90.118576)
        #expect(battery?.time == Timestamp(rfc3339: "2025-04-16T11:54:13.787Z"))
        #expect(message.frame.port == 2 && message.frame.bytes.count == 9)
        #expect(message.frame.decodedByServer == 2)
    }

    @Test func aSimulatedUplinkHoldsNoReading() {
        let message = thingsStack(
            #"{\#(self.ids),"uplink_message":{"f_port":2,"frm_payload":"gkHe","decoded_payload":{"a":1,"b":2}},"simulated":true}"#
        )
        #expect(message.readings.isEmpty && !message.frame.isPresent)
        #expect(message.refusals.map(\.values) == [2])
    }

    @Test func withoutEUITheStacksOwnIdNamesTheDevice() {
        let message = thingsStack(
            #"{"end_device_ids":{"device_id":"dev1"},"received_at":"2020-02-12T15:15:46Z","uplink_message":{"decoded_payload":{"a":1}}}"#
        )
        #expect(message.senders.map(\.name) == [.device("dev1")])
        #expect(message.readings.map(\.time) == [Timestamp(rfc3339: "2020-02-12T15:15:46Z")])
    }

    @Test func anAcceptedJoinIsNoUplink() {
        let message = thingsStack(#"{\#(self.ids),"join_accept":{"session_key_id":"AXBSH1Pk6Z0G166RlH16CQ=="}}"#)
        #expect(message.refusals.map(\.reason) == [.malformed])
    }
}

struct GatewayTelemetryCodecTests {
    /// The example of ThingsBoard's documentation.
    @Test func readsSeveralDevices() {
        var codec = GatewayTelemetryCodec()
        let message = decoded(
            #"""
            {"Device A":[{"ts":1483228800000,"values":{"temperature":42,"humidity":80}},
             {"ts":1483228801000,"values":{"temperature":43,"humidity":82}}],
             "Device B":[{"ts":1483228800000,"values":{"temperature":42,"humidity":80}}]}
            """#,
            &codec
        )
        #expect(message.readings.map(\.value) == [42, 80, 43, 82, 42, 80])
        #expect(
            message.senders == [
                .init(name: .device("Device A"), firstReading: 0), .init(name: .device("Device B"), firstReading: 4),
            ]
        )
        #expect(message.readings.map(\.time?.milliseconds).suffix(2) == [1_483_228_800_000, 1_483_228_800_000])
    }

    @Test func aValueThatIsNoneRefusesItselfOnly() {
        var codec = GatewayTelemetryCodec()
        let message = decoded(#"{"A":[{"level":1,"state":"on"}],"B":7,"C":{"level":2},"D":[]}"#, &codec)
        #expect(message.readings.map(\.value) == [1, 2])
        #expect(message.refusals.map(\.reason) == [.notANumber, .malformed])
        #expect(message.senders.map(\.firstReading) == [0, 1, 1, 2])
    }

    @Test(arguments: ["", "[]", "{}", #"{"A":[{"level":1}]"#, #"{"A":[{"level":1}]}}"#])
    func refusesWhatIsNoTelemetry(text: String) {
        var codec = GatewayTelemetryCodec()
        let message = decoded(text, &codec)
        #expect(message.readings.isEmpty)
        #expect(message.refusals.map(\.reason) == [.malformed])
    }
}
