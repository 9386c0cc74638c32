// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import Testing

@testable import MQTTIngest

/// No org draws the readings of another to itself by what it calls its devices.
struct ContestedNameTests {
    private static let eui = "0101010101010101"

    /// The cooperative has a device that its gateway calls `Pump`; `rivals` are those of another org.
    private func take(
        _ text: String,
        topic: String,
        rivals: [Device],
        rivalOrg: String = "others"
    ) throws -> ReadingBatch {
        let sites = [("plot", "coop"), ("pond", rivalOrg)]
            .map { id, org in Site(id: id, name: LocalizedName(zh: id, en: id), kind: .field, org: org) }
        let own = Device(id: "coop-1", name: "Pump", model: "generic/json", site: "plot", address: Self.eui)
        let catalog = try Catalog(
            files: try CatalogFiles.parse([]),
            registered: CatalogRegistrations(sites: sites, devices: [own] + rivals)
        )
        var path = MessagePath(payloadLimit: 1 << 16)
        path.notesParts = true
        var batch = ReadingBatch(receivedAt: try #require(Timestamp(rfc3339: "2022-07-18T09:35:00Z")))
        path.take(
            topic: Array(topic.utf8).span,
            topicHash: 1,
            payload: Array(text.utf8).span,
            isRetained: false,
            resolver: CatalogResolver(catalog: catalog),
            into: &batch
        )
        return batch
    }

    private func sites(_ batch: ReadingBatch) -> [String] { batch.readings.map(\.series.labels.site) }

    private func device(_ id: String, name: String = "", address: String = "") -> Device {
        Device(id: id, name: name, model: "generic/json", site: "pond", address: address)
    }

    private static let gateway = #"{"Pump":[{"soil_moisture_percent":30},{"soil_moisture_percent":31}]}"#

    /// As id, as another's name, as an address.
    @Test(arguments: [("Pump", "", ""), ("others-1", "Pump", ""), ("others-1", "", "pump")])
    func aGatewaysNameOfTwoOrgsIsNobodys(id: String, name: String, address: String) throws {
        let rival = self.device(id, name: name, address: address)
        let batch = try self.take(Self.gateway, topic: "v1/gateway/telemetry", rivals: [rival])
        #expect(batch.readings.isEmpty)
        let refusal = try #require(batch.quarantined.first?.refusals.first)
        #expect(refusal.reason == .wrongAddress && refusal.values == 2)
        #expect(refusal.detail.contains("'coop-1', '\(id)'") || refusal.detail.contains("'\(id)', 'coop-1'"))
        #expect(refusal.detail.contains("address of its own"))
    }

    @Test func whatElseTheGatewaySendsIsTaken() throws {
        let batch = try self.take(
            #"{"Pump":[{"soil_moisture_percent":30}],"coop-1":[{"soil_moisture_percent":31}]}"#,
            topic: "v1/gateway/telemetry",
            rivals: [self.device("Pump")]
        )
        #expect(self.sites(batch) == ["plot"] && batch.readings.first?.sample.value == 31)
        #expect(batch.quarantined.first?.refusals.map(\.values) == [1])
    }

    /// An id that is another's address, as it stands or in another form of it.
    @Test(arguments: ["0101010101010101", "01-01-01-01-01-01-01-01"])
    func anIdThatIsAnothersAddressDrawsNothing(id: String) throws {
        let batch = try self.take(
            #"{"\#(id)":{"soil_moisture_percent":30}}"#,
            topic: "v1/gateway/telemetry",
            rivals: [self.device(id)]
        )
        #expect(batch.readings.isEmpty && batch.quarantined.first?.refusals.map(\.reason) == [.wrongAddress])
        // Who sends the address as one is the device with that address.
        let uplink = try self.take(
            #"{"time":"2022-07-18T09:34:15Z","deviceInfo":{"devEui":"\#(Self.eui)"},"object":{"soil_moisture_percent":30}}"#,
            topic: "application/7/device/\(Self.eui)/event/up",
            rivals: [self.device(id)]
        )
        #expect(self.sites(uplink) == ["plot"])
    }

    @Test func aNetworkServersNameOfTwoOrgsIsNobodysUnlessItSendsTheAddress() throws {
        func uplink(_ ids: String) -> String {
            #"{"end_device_ids":{\#(ids)},"received_at":"2022-07-18T09:34:15Z","uplink_message":{"decoded_payload":{"soil_moisture_percent":20}}}"#
        }
        let topic = "v3/app1@t/devices/Pump/up"
        let rivals = [self.device("Pump")]
        let batch = try self.take(uplink(#""device_id":"Pump""#), topic: topic, rivals: rivals)
        #expect(batch.readings.isEmpty)
        #expect(batch.quarantined.first?.device == "", "no org is shown what may be another's")
        #expect(batch.quarantined.first?.refusals.map(\.reason) == [.wrongAddress])
        let strange = uplink(#""device_id":"Pump","dev_eui":"0303030303030303""#)
        #expect(try self.take(strange, topic: topic, rivals: rivals).readings.isEmpty)
        let addressed = uplink(#""device_id":"Pump","dev_eui":"\#(Self.eui)""#)
        #expect(self.sites(try self.take(addressed, topic: topic, rivals: rivals)) == ["plot"])
    }

    @Test func withinAnOrgTheIdGoesBeforeTheName() throws {
        let batch = try self.take(
            Self.gateway,
            topic: "v1/gateway/telemetry",
            rivals: [self.device("Pump")],
            rivalOrg: "coop"
        )
        #expect(self.sites(batch) == ["pond", "pond"] && batch.quarantined.isEmpty)
    }
}
