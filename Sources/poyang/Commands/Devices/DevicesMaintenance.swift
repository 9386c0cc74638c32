// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct DevicesMaintenance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maintenance",
        abstract: "Put a device under maintenance, end it, or list when it was.",
        discussion: """
            Readings meanwhile are stored with quality 9, which rules and queries leave out
            unless they ask for it; the device is not called silent. It ends by itself,
            also over a restart. Test water in a rain gauge warns nobody:

              poyang devices maintenance creek-rain --for 2h --by 李工 --note 注水试验
              poyang devices maintenance creek-rain --end
              poyang devices maintenance creek-rain
            """
    )

    @Argument(help: "The device's id.")
    var id: String
    @Option(name: .customLong("for"), help: ArgumentHelp("Begin it, for so long: 2h, 90m.", valueName: "d"))
    var duration: SpanArgument?
    @Flag(help: "End it now.")
    var end = false
    @Option(help: ArgumentHelp("Who does the work; otherwise the name of the token or login.", valueName: "name"))
    var by: String?
    @Option(help: ArgumentHelp("A remark that is kept with it.", valueName: "text"))
    var note: String?
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func validate() throws {
        if self.end, self.duration != nil {
            throw ValidationError("--for begins and --end ends maintenance; give one of them")
        }
    }

    func run() async throws {
        let path = "/api/devices/\(APIClient.component(self.id))/maintenance"
        let person = self.by ?? self.connection.login
        let rows = try await self.connection.withClient { client -> [JSONValue] in
            if let duration {
                let members: [(String, JSONValue)] = [
                    ("for", .string(duration.defaultValueDescription)), ("by", person.map { .string($0) } ?? .null),
                    ("note", self.note.map { .string($0) } ?? .null),
                ]
                return [try await client.post(path, members: members)]
            }
            if self.end { return [try await client.delete(path, query: [("by", person)])] }
            return try await client.get(path).elements
        }
        let columns = ["device", "site", "state", "from", "until", "by", "via", "entered_at", "ended_by", "note"]
        Table(columns: columns, objects: rows)
            .print(asJSON: self.output.json, empty: "'\(self.id)' was never under maintenance", details: ["via"])
    }
}
