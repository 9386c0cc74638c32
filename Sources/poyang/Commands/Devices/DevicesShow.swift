// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct DevicesShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one device: where it stands, each channel's last value, what was refused.",
        discussion: """
            The clock offset is the median of receive time minus reading time of the newest
            messages: above zero the device's clock is behind (or its messages come late),
            below zero ahead. The interval is kept to 100 % when each report of the last 24
            hours came (of a new device, since its first). Duplicates are counted since the
            start of the service, rejected values as far as quarantine keeps them. The
            connection is what the device, or the broker for it, published last on its topic
            status, and when that was first heard. The
            firmware is the one that the device said last ("firmware" in its JSON, or what its
            model's layout finds), else the one that it is registered with at its network
            server. One that is retired or replaced is shown with its history. With --json one
            object per channel.

              poyang devices show xingzi-1
            """
    )

    @Argument(help: "The device's id.")
    var id: String
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let device = try await self.connection.withClient { client in
            try await client.get("/api/devices/\(APIClient.component(self.id))")
        }
        let own = [
            "device", "name", "model", "site", "source", "test", "state", "retired_at", "retired_by", "replaced_by",
            "maintenance_until", "last_seen", "connection", "connection_since", "clock_offset_seconds", "address",
            "topic", "zero_elevation_meters", "mount_height_meters",
        ]
        let ofHealth = [
            "interval_kept_percent", "reports_arrived", "reports_expected", "battery_volts", "battery_percent",
            "signal_dbm", "firmware", "firmware_since", "duplicates", "rejected", "reject_reasons",
        ]
        let ofChannel = ["metric", "labels", "last_value", "last_time", "last_quality", "failed_test", "interval"]
        if self.output.json {
            var table = Table(columns: own + ofHealth + ofChannel)
            let channels = device["channels"].elements
            for channel in channels.isEmpty ? [.null] : channels {
                let values = own.map { device[$0] } + ofHealth.map { device["health"][$0] }
                table.append(values + ofChannel.map { DevicesShow.flat(channel[$0]) })
            }
            table.print(asJSON: true, empty: "")
            return
        }
        for name in own where !device[name].cellText.isEmpty {
            StandardOutput.write("\(name.replacing("_", with: " ")): \(device[name].cellText)")
        }
        for name in ofHealth where !device["health"][name].cellText.isEmpty {
            StandardOutput.write("\(name.replacing("_", with: " ")): \(device["health"][name].cellText)")
        }
        if device["retired_at"].isNull {
            StandardOutput.write("")
            var table = Table(columns: ofChannel)
            for channel in device["channels"].elements { table.append(ofChannel.map { DevicesShow.flat(channel[$0]) }) }
            table.print(asJSON: false, empty: "no channel; the model generic/json gains them with the first reading")
        }
        let history = device["history"].elements
        guard !history.isEmpty else { return }
        StandardOutput.write("")
        Table(columns: ["time", "kind", "what", "by"], objects: history).print(asJSON: false, empty: "")
    }

    /// Labels as one text, so that objects stay flat.
    static func flat(_ value: JSONValue) -> JSONValue {
        guard case .object(let members) = value else { return value }
        return .string(
            members.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.cellText)" }.joined(separator: ",")
        )
    }
}
