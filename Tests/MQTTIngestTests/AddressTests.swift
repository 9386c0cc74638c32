// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import Testing

@testable import MQTTIngest

struct AddressTests {
    @Test(arguments: [
        ("mqtt://127.0.0.1:1884", BrokerAddress(host: "127.0.0.1", port: 1884)),
        ("mqtt://broker", BrokerAddress(host: "broker", port: 1883)),
        ("mqtts://broker.example/", BrokerAddress(host: "broker.example", port: 8883, isSecure: true)),
        ("mqtt://[::1]:1885", BrokerAddress(host: "::1", port: 1885)),
        ("mqtt://[::1]", BrokerAddress(host: "::1", port: 1883)),
    ])
    func readsABrokersAddress(url: String, expected: BrokerAddress) throws {
        let address = try BrokerAddress(url)
        #expect(address == expected)
        #expect(try BrokerAddress("\(address)") == address)
    }

    @Test(arguments: [
        "", "127.0.0.1:1883", "http://x", "mqtt://", "mqtt://:1883", "mqtt://x:0", "mqtt://x:70000", "mqtt://x:",
        "mqtt://u:p@x", "mqtt://x/path", "mqtt://[]",
    ])
    func refusesWhatIsNoAddress(url: String) {
        #expect(throws: MQTTError.self) { try BrokerAddress(url) }
    }

    @Test(arguments: [
        ("poyang/v1/devices/a-1/telemetry", "a-1", true), ("v1/devices/a-1/telemetry", "a-1", true),
        ("v1/devices/me/telemetry", "", false), ("v1/gateway/telemetry", "", false),
        ("poyang/v1/devices/a-1/senml", "a-1", false), ("poyang/v1/devices/a b/telemetry", "a b", false),
        ("poyang/v1/devices//telemetry", "", false), ("application/1/device/0102/event/up", "0102", false),
        ("v3/app@t/devices/d/up", "d", false), ("spBv1.0/g/DDATA/n/d", "d", false), ("spBv1.0/STATE/h", "", false),
        ("", "", false), ("/", "", false),
    ])
    func readsATopic(topic: String, device: String, isNative: Bool) {
        let route = TopicMap.route(topic)
        #expect(route.device == device)
        #expect((route.format == .nativeJSON) == isNative)
        if case .unspoken(let advice) = route.format { #expect(advice.count > 20) }
    }

    @Test(arguments: [
        ("poyang/v1/devices/a-1/senml", TopicMap.Format.senML), ("v1/gateway/telemetry", .gatewayTelemetry),
        ("application/1/device/0102/event/up", .chirpStack(.up)), ("v3/app@t/devices/d/up", .thingsStack),
        ("application/1/device/0102/event/status", .chirpStack(.status)),
    ])
    func eachFormatHasItsTopic(topic: String, format: TopicMap.Format) {
        #expect(TopicMap.route(topic).format == format)
    }

    @Test func topicsOfSparkplugSayWhoSentThem() {
        let route = TopicMap.route("spBv1.0/g/DDATA/n/d")
        #expect(route.format == SparkplugTopic("spBv1.0/g/DDATA/n/d").map { .sparkplug($0) })
        #expect(route.device == "d" && TopicMap.route("spBv1.0/g/NDATA/n").device == "n")
    }

    @Test(arguments: ["v1/devices/me/telemetry", "application/1/device/0102/event/join", "v3/app@t/devices/d/join"])
    func topicsWithoutReadingsAreKeptWithAdvice(topic: String) {
        guard case .unspoken = TopicMap.route(topic).format else {
            Issue.record("\(topic) is read")
            return
        }
    }
}
