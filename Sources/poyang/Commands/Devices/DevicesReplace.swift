// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct DevicesReplace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace",
        abstract: "Put a new device in the place of another; the series go on.",
        discussion: """
            The new device stands at the same site and takes over what is not given; the old
            one is retired and keeps its history.

              poyang devices replace creek-radar --with creek-radar-2 --zero 21.462 --by 李工
            """
    )

    @Argument(help: "The id of the device that goes.")
    var id: String
    @Option(name: .customLong("with"), help: ArgumentHelp("The id of the new device.", valueName: "id"))
    var new: String
    @Option(help: ArgumentHelp("The new model; otherwise the same.", valueName: "model"))
    var model: String?
    @Option(help: ArgumentHelp("DevEUI, SL 651 address or MN; otherwise the same.", valueName: "address"))
    var address: String?
    @Option(help: ArgumentHelp("The elevation of the new zero in the site's datum, metres.", valueName: "m"))
    var zero: Double?
    @Option(help: ArgumentHelp("The height above the zero at which it is mounted, metres.", valueName: "m"))
    var mount: Double?
    @Option(help: ArgumentHelp("Who did it; otherwise the name of the token or login.", valueName: "name"))
    var by: String?
    @Option(help: ArgumentHelp("A remark that is kept with it.", valueName: "text"))
    var note: String?
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let person = self.by ?? self.connection.login
        let members: [(String, JSONValue)] = [
            ("with", .string(self.new)), ("model", self.model.map { .string($0) } ?? .null),
            ("address", self.address.map { .string($0) } ?? .null),
            ("zero_elevation_m", self.zero.map { .number($0) } ?? .null),
            ("mount_height_m", self.mount.map { .number($0) } ?? .null),
            ("by", person.map { .string($0) } ?? .null), ("note", self.note.map { .string($0) } ?? .null),
        ]
        let device = try await self.connection.withClient { client in
            try await client.post("/api/devices/\(APIClient.component(self.id))/replace", members: members)
        }
        StandardOutput.write(
            "replaced \(self.id) by \(self.new) at \(device["site"].cellText); it publishes to \(device["topic"].cellText)"
        )
    }
}
