// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import PayloadCodecs
import Telemetry
import TestSupport
import Testing

@testable import MQTTIngest

/// The way of what network servers, gateways and SenML senders publish into a batch.
struct NetworkServerTests {
    private let resolver: CatalogResolver
    private let now: Timestamp

    init() throws {
        self.now = try #require(Timestamp(rfc3339: "2022-07-18T09:35:00Z"))
        let files = try CatalogFiles.parse([
            SourceText(
                path: "Devices/models/acme/probe.yaml",
                text: """
                    channels:
                      soil_moisture_percent: { key: moisture, max: 100 }
                      water_level_meters: { key: level, unit: cm, optional: true }
                      signal_dbm: { optional: true }
                      battery_percent: { optional: true }
                    """
            ),
            SourceText(
                path: "Devices/models/acme/gauge.yaml",
                text: """
                    channels:
                      water_level_meters: { key: level, unit: mm }
                      battery_percent: { key: battery, min: 0, max: 100 }
                      signal_dbm: { optional: true }
                    payload: { form: fixed, ports: [2], frames: [{ fields: [{ key: level, type: u8 }] }] }
                    """
            ),
        ])
        let sites = ["f1", "f2"].map { Site(id: $0, name: LocalizedName(zh: $0, en: $0), kind: .field) }
        let devices = [
            Device(id: "probe-1", name: "Device A", model: "acme/probe", site: "f1", address: "0101010101010101"),
            Device(id: "gauge-1", model: "acme/gauge", site: "f2", address: "0404040404040404"),
            Device(id: "dev1", name: "Device B", model: "generic/json", site: "f2"),
        ]
        let catalog = try Catalog(files: files, registered: CatalogRegistrations(sites: sites, devices: devices))
        self.resolver = CatalogResolver(catalog: catalog)
    }

    private func take(
        _ text: String,
        topic: String,
        isRetained: Bool = false,
        resolver: CatalogResolver? = nil
    ) -> ReadingBatch {
        var path = MessagePath(payloadLimit: 1 << 16)
        var batch = ReadingBatch(receivedAt: self.now)
        path.take(
            topic: Array(topic.utf8).span,
            topicHash: 1,
            payload: Array(text.utf8).span,
            isRetained: isRetained,
            resolver: resolver ?? self.resolver,
            into: &batch
        )
        return batch
    }

    private func values(_ batch: ReadingBatch) -> [String: Double] {
        let pairs = batch.readings.map { ("\($0.series.labels["site"]) \($0.series.labels.metric)", $0.sample.value) }
        return Dictionary(pairs) { first, _ in first }
    }

    private let up = "application/7/device/0101010101010101/event/up"

    private func uplink(_ object: String, eui: String = "0101010101010101") -> String {
        #"""
        {"time":"2022-07-18T09:34:15.775023242+00:00","deviceInfo":{"devEui":"\#(eui)"},"fPort":2,"data":"qg==",
         "object":\#(object),"rxInfo":[{"rssi":-36,"snr":10.5}]}
        """#
    }

    @Test func anUplinkIsOfTheDeviceWithItsEUI() {
        let batch = self.take(self.uplink(#"{"moisture":"21.4","node":"LSE01","interrupt":0}"#), topic: self.up)
        #expect(batch.quarantined.isEmpty)
        #expect(self.values(batch) == ["f1 soil_moisture_percent": 21.4, "f1 signal_dbm": -36])
        let time = Timestamp(rfc3339: "2022-07-18T09:34:15.775Z")
        #expect(batch.readings.allSatisfy { $0.sample.time == time && $0.hasOwnTime })
    }

    /// If the model knows none of its keys, somebody must hear of it.
    @Test func anObjectOfWhichNothingIsKnownIsRefused() {
        let batch = self.take(self.uplink(#"{"water_SOIL":21.4,"temp":1}"#), topic: self.up)
        #expect(self.values(batch) == ["f1 signal_dbm": -36])
        #expect(batch.quarantined.first?.device == "probe-1")
        #expect(batch.quarantined.first?.refusals.map(\.reason) == [.unknownChannel, .unknownChannel])
    }

    /// The model says how to read the bytes: what the network server made of them does not count.
    @Test func aModelsLayoutGoesBeforeTheServersDecoder() {
        let topic = "application/7/device/0404040404040404/event/up"
        let batch = self.take(self.uplink(#"{"level":5}"#, eui: "0404040404040404"), topic: topic)
        #expect(batch.quarantined.isEmpty)
        #expect(self.values(batch) == ["f2 water_level_meters": 0.17, "f2 signal_dbm": -36])
        let time = Timestamp(rfc3339: "2022-07-18T09:34:15.775Z")
        #expect(batch.readings.allSatisfy { $0.sample.time == time })
        let other = self.take(
            self.uplink(#"{"level":5}"#, eui: "0404040404040404").replacing("\"fPort\":2", with: "\"fPort\":3"),
            topic: topic
        )
        #expect(other.quarantined.first?.refusals.map(\.reason) == [.malformed])
    }

    @Test func anUnknownEUIIsAnUnknownDevice() {
        let batch = self.take(
            self.uplink(#"{"moisture":21.4}"#, eui: "0202020202020202"),
            topic: "application/7/device/0202020202020202/event/up"
        )
        #expect(batch.readings.isEmpty)
        #expect(batch.quarantined.first?.refusals.map(\.reason) == [.unknownDevice])
        #expect(batch.quarantined.first?.device == "0202020202020202")
    }

    /// Who may publish on the topic of one device must not speak for another.
    @Test func anEventOnTheTopicOfAnotherDeviceIsRefused() {
        let event = self.uplink(#"{"moisture":21.4}"#)
        for eui in ["0404040404040404", "0202020202020202", ""] {
            let batch = self.take(event, topic: "application/7/device/\(eui)/event/up")
            #expect(batch.readings.isEmpty)
            #expect(batch.quarantined.first?.refusals.map(\.reason) == [.wrongAddress], "\(eui)")
            #expect(batch.quarantined.first?.device == eui)
        }
        let status = self.take(
            #"{"time":"2022-07-18T09:34:15Z","deviceInfo":{"devEui":"0101010101010101"},"batteryLevel":88.3}"#,
            topic: "application/7/device/0404040404040404/event/status"
        )
        #expect(status.readings.isEmpty && status.quarantined.count == 1)
    }

    /// Its channel has a key of the model's own payload.
    @Test func aStatusGivesTheBatteryOfAModelThatCallsItOtherwise() {
        let batch = self.take(
            #"{"time":"2022-07-18T09:34:15Z","deviceInfo":{"devEui":"0404040404040404"},"margin":10,"batteryLevel":75.5}"#,
            topic: "application/7/device/0404040404040404/event/status"
        )
        #expect(batch.quarantined.isEmpty)
        #expect(self.values(batch) == ["f2 battery_percent": 75.5])
    }

    @Test func aStatusGivesTheBattery() {
        let batch = self.take(
            #"{"time":"2022-07-18T09:34:15Z","deviceInfo":{"devEui":"01-01-01-01-01-01-01-01"},"margin":10,"batteryLevel":88.3}"#,
            topic: "application/7/device/0101010101010101/event/status"
        )
        #expect(batch.quarantined.isEmpty)
        #expect(self.values(batch) == ["f1 battery_percent": 88.3])
    }

    @Test func theThingsStackNamesDevicesByItsOwnIdsToo() {
        let batch = self.take(
            #"{"end_device_ids":{"device_id":"dev1","dev_eui":"0303030303030303"},"received_at":"2022-07-18T09:34:15Z","uplink_message":{"decoded_payload":{"soil_moisture_percent":20,"note":"x"}}}"#,
            topic: "v3/app1@t/devices/dev1/up"
        )
        #expect(batch.quarantined.isEmpty)
        #expect(self.values(batch) == ["f2 soil_moisture_percent": 20])
    }

    @Test func simulatedUplinksAreNeverStored() {
        self.resolver.replace(policy: IngestPolicy(acceptsSimulated: true))
        let batch = self.take(
            #"{"end_device_ids":{"device_id":"dev1"},"received_at":"2022-07-18T09:34:15Z","uplink_message":{"decoded_payload":{"soil_moisture_percent":20}},"simulated":true}"#,
            topic: "v3/app1@t/devices/dev1/up"
        )
        #expect(batch.readings.isEmpty)
        #expect(batch.quarantined.first?.refusals.map(\.reason) == [.wrongAddress])
    }

    @Test func aGatewaySpeaksForSeveralDevices() {
        let batch = self.take(
            #"""
            {"Device A":[{"ts":1658136855000,"values":{"moisture":20}}],"dev1":[{"soil_moisture_percent":30}],
             "0101010101010101":{"level":150},"Nobody":[{"moisture":1}]}
            """#,
            topic: "v1/gateway/telemetry"
        )
        #expect(
            self.values(batch) == [
                "f1 soil_moisture_percent": 20, "f2 soil_moisture_percent": 30, "f1 water_level_meters": 1.5,
            ]
        )
        #expect(batch.quarantined.first?.refusals.map(\.reason) == [.unknownDevice])
    }

    @Test func ofAGatewaysRetainedMessageOnlyReadingsWithTheirTimeCount() {
        let batch = self.take(
            #"{"dev1":[{"soil_moisture_percent":30}],"Device A":[{"ts":1658136855000,"values":{"moisture":20}}]}"#,
            topic: "v1/gateway/telemetry",
            isRetained: true
        )
        #expect(self.values(batch) == ["f1 soil_moisture_percent": 20])
        #expect(batch.quarantined.first?.refusals.map(\.reason) == [.timeInvalid])
    }

    @Test func unitsOfSenMLAreConvertedToTheChannels() {
        let batch = self.take(
            #"[{"bn":"urn:dev:mac:0101:","n":"moisture","u":"/","v":0.214},{"n":"level","u":"m","v":1.25}]"#,
            topic: "poyang/v1/devices/probe-1/senml"
        )
        #expect(batch.quarantined.isEmpty)
        #expect(self.values(batch) == ["f1 soil_moisture_percent": 21.4, "f1 water_level_meters": 1.25])
        let wrong = self.take(#"[{"n":"level","u":"Cel","v":1.25}]"#, topic: "poyang/v1/devices/probe-1/senml")
        #expect(wrong.readings.isEmpty)
        #expect(wrong.quarantined.first?.refusals.map(\.reason) == [.malformed])
    }

    /// Units of RFC 8428, RFC 8798 and of model files; generic/json expects the metric's own.
    @Test(arguments: [
        ("wind_speed_meters_per_second", "km/h", 36.0, 10.0), ("water_level_meters", "ft", 10, 3.048),
        ("water_level_meters", "km", 0.5, 500), ("wind_direction_degrees", "rad", 1.570796327, 90.000000012),
        ("ammonia_nitrogen_milligrams_per_liter", "ug/l", 2, 0.002),
        ("dissolved_oxygen_milligrams_per_liter", "kg/m3", 0.008, 8),
        ("dissolved_oxygen_milligrams_per_liter", "g/l", 0.008, 8),
        ("ammonia_nitrogen_milligrams_per_liter", "ug/m3", 2000, 0.002),
        ("conductivity_microsiemens_per_centimeter", "mS/cm", 1, 1000),
        ("conductivity_microsiemens_per_centimeter", "S/m", 0.1, 1000),
        ("air_temperature_celsius", "degF", 68, 20), ("relative_humidity_percent", "/100", 51, 51),
        ("reservoir_storage_cubic_meters", "l", 5000, 5), ("signal_dbm", "dBW", -120, -90),
        ("aerator_running", "/", 1, 1), ("gates_open_count", "count", 3, 3), ("ph", "pH", 7, 7),
    ])
    func unitsOfSenMLAreThoseOfItsRegistryAndOfModels(metric: String, unit: String, value: Double, stored: Double) {
        let pack = #"[{"n":"\#(metric)","u":"\#(unit)","v":\#(value)}]"#
        let batch = self.take(pack, topic: "poyang/v1/devices/dev1/senml")
        #expect(batch.quarantined.isEmpty)
        #expect(self.values(batch) == ["f2 \(metric)": stored])
    }

    @Test(arguments: [
        ("rainfall_millimeters", "mm/h"), ("ph", "%"), ("ph", "banana"), ("air_temperature_celsius", "far"),
        ("water_level_meters", "Pa"), ("dissolved_oxygen_milligrams_per_liter", "ppm"),
    ])
    func unitsOfSomethingElseAreRefused(metric: String, unit: String) {
        let batch = self.take(#"[{"n":"\#(metric)","u":"\#(unit)","v":7}]"#, topic: "poyang/v1/devices/dev1/senml")
        #expect(batch.readings.isEmpty)
        #expect(batch.quarantined.first?.refusals.map(\.reason) == [.malformed])
    }

    @Test func relativeTimesOfRetainedSenMLAreNone() {
        let pack = #"[{"n":"moisture","t":-60,"v":20}]"#
        let topic = "poyang/v1/devices/probe-1/senml"
        #expect(self.take(pack, topic: topic).readings.map(\.sample.time) == [self.now - 60_000])
        let retained = self.take(pack, topic: topic, isRetained: true)
        #expect(retained.readings.isEmpty)
        #expect(retained.quarantined.first?.refusals.map(\.reason) == [.timeInvalid])
    }

    private func stackUplink(_ members: String, minute: Int = 34) -> String {
        #"""
        {"end_device_ids":{"device_id":"dev1"},
         "uplink_message":{"received_at":"2022-07-18T09:\#(minute):15Z",\#(members)}}
        """#
    }

    @Test func theFirmwareOfTheStacksRegistryIsTakenUntilTheDeviceSaysItsOwn() {
        let topic = "v3/app1@t/devices/dev1/up"
        let registered = #""version_ids":{"brand_id":"x","firmware_version":"1.0"}"#
        #expect(self.take(self.stackUplink(registered), topic: topic).quarantined.isEmpty)
        #expect(self.resolver.board.firmware(of: "dev1")?.version.text == "1.0")
        #expect(self.resolver.board.firmware(of: "dev1")?.isOwn == false)
        let telemetry = "poyang/v1/devices/dev1/telemetry"
        _ = self.take(#"{"firmware":"1.4.2"}"#, topic: telemetry)
        _ = self.take(self.stackUplink(registered, minute: 36), topic: topic)
        #expect(self.resolver.board.firmware(of: "dev1")?.version.text == "1.4.2")
        // What was kept while it was out of reach is older; a clock that is years ahead makes nothing newer.
        _ = self.take(#"{"ts":1658130000000,"values":{"firmware":"1.4.1"}}"#, topic: telemetry)
        #expect(self.resolver.board.firmware(of: "dev1")?.version.text == "1.4.2")
        _ = self.take(#"{"ts":2999999999999,"values":{"firmware":"1.4.3"}}"#, topic: telemetry)
        _ = self.take(#"{"firmware":"1.4.4"}"#, topic: telemetry)
        #expect(self.resolver.board.firmware(of: "dev1")?.version.text == "1.4.4")
        #expect(self.resolver.board.firmware(of: "dev1")?.since == self.now)
    }

    @Test func firmwareThatIsNoTextIsRefusedBesideTheValues() {
        let batch = self.take(
            self.stackUplink(
                #""decoded_payload":{"soil_moisture_percent":20},"version_ids":{"firmware_version":"\u0007"}"#
            ),
            topic: "v3/app1@t/devices/dev1/up"
        )
        #expect(self.values(batch) == ["f2 soil_moisture_percent": 20])
        #expect(batch.quarantined.first?.refusals.map(\.key) == ["version_ids.firmware_version"])
        #expect(self.resolver.board.firmware(of: "dev1") == nil)
    }

    @Test func aGatewayTellsTheFirmwareOfItsDevices() {
        let batch = self.take(
            #"{"Device A":[{"moisture":20,"firmware":"2.1"}],"dev1":{"firmware":"3.0"},"Nobody":[{"firmware":"1"}]}"#,
            topic: "v1/gateway/telemetry"
        )
        #expect(self.values(batch) == ["f1 soil_moisture_percent": 20])
        #expect(self.resolver.board.firmware(of: "probe-1")?.version.text == "2.1")
        #expect(self.resolver.board.firmware(of: "dev1")?.version.text == "3.0")
        #expect(self.resolver.board.firmware(of: "Nobody") == nil)
        #expect(batch.quarantined.first?.refusals.map(\.reason) == [.unknownDevice])
        #expect(batch.quarantined.first?.refusals.map(\.values) == [1])
    }

    @Test func eachOfTwoThousandDevicesOfAGatewayHasItsOwnFirmware() throws {
        let site = Site(id: "f", name: LocalizedName(zh: "f", en: "f"), kind: .field)
        let devices = (0..<2000).map { Device(id: "n\($0)", model: "generic/json", site: "f") }
        let catalog = try Catalog(
            files: try CatalogFiles.parse([]),
            registered: CatalogRegistrations(sites: [site], devices: devices)
        )
        let resolver = CatalogResolver(catalog: catalog)
        // Some are not known, some tell nothing of it, some tell it twice.
        let entries = (0..<2000)
            .map { number in
                switch number % 10 {
                case 3: #""x\#(number)":{"firmware":"x"}"#
                case 5: #""n\#(number)":{"ph":7}"#
                case 7: #""n\#(number)":[{"firmware":"a"},{"firmware":"v\#(number)"}]"#
                default: #""n\#(number)":{"firmware":"v\#(number)"}"#
                }
            }
        let batch = self.take(
            "{" + entries.joined(separator: ",") + "}",
            topic: "v1/gateway/telemetry",
            resolver: resolver
        )
        #expect(batch.readings.count == 200)
        #expect(batch.quarantined.first?.refusals.map(\.values).reduce(0, +) == 200)
        for number in 0..<2000 {
            let told = [3, 5].contains(number % 10) ? nil : "v\(number)"
            #expect(resolver.board.firmware(of: "n\(number)")?.version.text == told)
        }
    }

    @Test func firmwareOfAnUnknownDeviceAndOfARetainedMessageWithoutTimeIsRefused() {
        let ghost = self.take(#"{"firmware":"1.4.2"}"#, topic: "poyang/v1/devices/ghost/telemetry")
        #expect(ghost.quarantined.first?.refusals.map(\.reason) == [.unknownDevice])
        let retained = self.take(
            #"{"firmware":"1.4.2"}"#,
            topic: "poyang/v1/devices/dev1/telemetry",
            isRetained: true
        )
        #expect(retained.quarantined.first?.refusals.map(\.reason) == [.timeInvalid])
        #expect(self.resolver.board.firmware(of: "dev1") == nil)
    }
}
