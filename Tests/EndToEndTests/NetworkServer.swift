// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import MQTTIngest

/// A LoRaWAN network server as the broker sees it: one account, one connection over TLS, events as ChirpStack v4 writes them.
final class NetworkServer: Sendable {
    private static let application = "17c82e96-be03-4f38-aef3-f83d48582d97"

    private let publisher: MQTTPublisher

    init(_ user: (name: String, password: String), at broker: SecuredBroker) throws {
        var options = MQTTPublisher.Options(
            broker: try BrokerAddress(broker.secureURL),
            clientID: "test-\(UUID().uuidString.prefix(8))"
        )
        options.credentials = MQTTCredentials(
            user: user.name,
            password: user.password,
            authorityFile: broker.authority.path
        )
        var logger = Logger(label: "test", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .critical
        self.publisher = MQTTPublisher(options, logger: logger)
        self.publisher.start()
    }

    deinit { self.publisher.stop(timeout: 0) }

    static func topic(_ eui: String) -> String { "application/\(self.application)/device/\(eui.lowercased())/event/up" }

    /// An uplink with a device's bytes, heard by one gateway at a moment in RFC 3339; 85 is Milesight's port.
    static func uplink(_ frame: [UInt8], of eui: String, at time: String, count: Int = 0, port: Int = 85) -> [UInt8] {
        let text = #"""
            {"deduplicationId":"\#(UUID().uuidString.lowercased())","time":"\#(time)",
             "deviceInfo":{"tenantId":"52f14cd4-c6f1-4fbd-8f87-4025e1d49242","tenantName":"ChirpStack",
             "applicationId":"\#(self.application)","applicationName":"soil",
             "deviceProfileId":"14855bf7-d10d-4aee-b618-ebfcb64dc7ad","deviceProfileName":"em500-smtc",
             "deviceName":"\#(eui)","devEui":"\#(eui.lowercased())","tags":{}},
             "devAddr":"00189440","adr":true,"dr":5,"fCnt":\#(count),"fPort":\#(port),"confirmed":false,
             "data":"\#(Data(frame).base64EncodedString())",
             "rxInfo":[{"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-87,"snr":7.5,"context":"E3OWOQ==",
             "metadata":{"region_common_name":"CN470"}}],
             "txInfo":{"frequency":470300000,"modulation":{"lora":{"bandwidth":125000,"spreadingFactor":7}}}}
            """#
        return Array(text.utf8)
    }

    /// Passes an uplink on; returns when the broker has acknowledged it.
    func pass(_ frame: [UInt8], of eui: String, at time: String, count: Int = 0) async throws {
        try await self.publisher.publishAndWait(
            topic: Self.topic(eui),
            payload: Self.uplink(frame, of: eui, at: time, count: count)
        )
    }
}
