// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Telemetry

struct DevicesSurvey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "survey",
        abstract: "Enter where the zero of a gauge lies from a moment on.",
        discussion: """
            Readings from then on get the new zero, earlier ones keep theirs; a stored level
            less the zero of its time is what the device reported. Do it while the device is
            under maintenance: what was stored before the survey is entered keeps the zero of
            before, and the command says how many readings that are.

              poyang devices survey creek-radar --zero 21.462 --by 李工 --source 测量记录2026-17
            """
    )

    @Argument(help: "The device's id.")
    var id: String
    @Option(help: ArgumentHelp("The elevation of the zero in the site's datum, metres.", valueName: "m"))
    var zero: Double
    @Option(help: ArgumentHelp("The height above the zero at which it is mounted, metres.", valueName: "m"))
    var mount: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("From when on; otherwise from now.", valueName: "t"),
        transform: MomentArgument.read
    )
    var from: MomentArgument?
    @Option(help: ArgumentHelp("The surveyor.", valueName: "name"))
    var by: String
    @Option(help: ArgumentHelp("The document.", valueName: "text"))
    var source: String?
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let members: [(String, JSONValue)] = [
            ("zero_elevation_m", .number(self.zero)), ("mount_height_m", self.mount.map { .number($0) } ?? .null),
            ("valid_from", self.from.map { .string($0.time.rfc3339()) } ?? .null), ("surveyor", .string(self.by)),
            ("source", self.source.map { .string($0) } ?? .null),
        ]
        let device = try await self.connection.withClient { client in
            try await client.post("/api/devices/\(APIClient.component(self.id))/surveys", members: members)
        }
        let what = device["history"].elements.last?["what"].cellText ?? ""
        StandardOutput.write("surveyed \(self.id) \(what)")
        guard let count = device["survey"]["kept"].integer, count > 0 else { return }
        let since = device["survey"]["since"].cellText
        StandardError.write(
            Terminal.isChinese
                ? "注意：\(since) 以来已存的 \(count) 个读数仍用原零点；可用 poyang readings add --correct 逐个更正"
                : "note: \(count) readings that were stored since \(since) keep the old zero; correct them with "
                    + "'poyang readings add --correct'"
        )
    }
}
