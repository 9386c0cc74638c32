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
            less the zero of its time is what the device reported. Where the moment is in the
            past, the levels that were stored since then are computed anew as late truth; the
            first values are kept, and what was read by hand stays. --keep-readings leaves all
            as they are.

              poyang devices survey creek-radar --zero 21.462 --by 李工 --source 测量记录2026-17
              poyang devices survey creek-radar --zero 21.462 --by 李工 --from 2026-07-01
            """
    )

    @Argument(help: "The device's id.")
    var id: String
    @Option(help: ArgumentHelp("The elevation of the zero in the site's datum, metres.", valueName: "m"))
    var zero: Double
    @Option(help: ArgumentHelp("The height above the zero at which it is mounted, metres.", valueName: "m"))
    var mount: Double?
    @Option(help: ArgumentHelp("From when on; otherwise from now.", valueName: "t"))
    var from: MomentArgument?
    @Option(help: ArgumentHelp("The surveyor.", valueName: "name"))
    var by: String
    @Option(help: ArgumentHelp("The document.", valueName: "text"))
    var source: String?
    @Flag(help: "Leave the levels that were stored since then with the zero of before.")
    var keepReadings = false
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let members: [(String, JSONValue)] = [
            ("zero_elevation_m", .number(self.zero)), ("mount_height_m", self.mount.map { .number($0) } ?? .null),
            ("valid_from", self.from.map { .string($0.time.rfc3339()) } ?? .null), ("surveyor", .string(self.by)),
            ("source", self.source.map { .string($0) } ?? .null), ("keep_readings", .bool(self.keepReadings)),
        ]
        let device = try await self.connection.withClient { client in
            try await client.post("/api/devices/\(APIClient.component(self.id))/surveys", members: members)
        }
        let what = device["history"].elements.last?["what"].cellText ?? ""
        StandardOutput.write("surveyed \(self.id) \(what)")
        for line in self.words(device["survey"]) { StandardError.write(line) }
    }

    /// What became of the levels that were stored since the survey counts, and what to do.
    private func words(_ survey: JSONValue) -> [String] {
        let (since, isChinese) = (survey["since"].cellText, Terminal.isChinese)
        var lines: [String] = []
        if let count = survey["recomputed"].integer, count > 0 {
            lines.append(
                isChinese
                    ? "\(since) 以来的 \(count) 个读数已按新零点重算，原值保留，人工置数不变；此间导入或推送的水位也一并改动，如其已为站点基面，请更正"
                    : "\(count) readings since \(since) were computed anew with this zero; their first values are kept, and "
                        + "readings by hand stay. Levels that were imported or pushed since then have moved with them: "
                        + "correct those that were in the site's datum"
            )
        }
        if let count = survey["kept"].integer, count > 0 {
            let isShared = survey["is_shared"] == .bool(true)
            let reason =
                isChinese
                ? (isShared ? "本站另有设备写入同一序列，无法区分" : "按 --keep-readings 的要求")
                : isShared
                    ? "another device of the site feeds the same series, and nobody knows whose they are" : "as asked"
            lines.append(
                isChinese
                    ? "\(since) 以来的 \(count) 个读数仍用原零点（\(reason)）；可用 poyang readings add --correct 逐个更正"
                    : "\(count) readings since \(since) keep the old zero (\(reason)); correct single ones with "
                        + "'poyang readings add --correct'"
            )
        }
        return lines
    }
}
