// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct DevicesRegister: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Register one device, or change it; asks for what is missing on a terminal.",
        discussion: """
            In scripts everything is given; a site that is not known is created when
            --site-name and --kind are given. With --wait it ends when the first reading has
            come, or fails when none came in that time.

              poyang devices register
              poyang devices register field7-soil --model generic/json --site field7 \\
                  --site-name 七号田 --kind field --wait 10m
            """
    )

    @Argument(help: "The device's id, which is its MQTT user, too; or what its label says: poyang:ID?model=….")
    var id: String?
    @Option(help: ArgumentHelp("The model: vendor/model, or generic/json.", valueName: "model"))
    var model: String?
    @Option(help: ArgumentHelp("The site's id.", valueName: "id"))
    var site: String?
    @Option(help: ArgumentHelp("The name of a new site.", valueName: "name"))
    var siteName: String?
    @Option(help: ArgumentHelp("The kind of a new site: field, river, lake, reservoir, rain, pond.", valueName: "kind"))
    var kind: String?
    @Option(help: ArgumentHelp("The org of a new site.", valueName: "org"))
    var org: String?
    @Option(help: ArgumentHelp("The basin of a new site.", valueName: "basin"))
    var basin: String?
    @Option(help: ArgumentHelp("Degrees, WGS-84.", valueName: "deg"))
    var latitude: Double?
    @Option(help: ArgumentHelp("Degrees, WGS-84.", valueName: "deg"))
    var longitude: Double?
    @Option(help: ArgumentHelp("A name for people.", valueName: "name"))
    var name: String?
    @Option(help: ArgumentHelp("DevEUI, SL 651 address or MN.", valueName: "address"))
    var address: String?
    @Option(help: ArgumentHelp("How often it reports: 5m, 1h.", valueName: "d"))
    var interval: String?
    @Option(help: ArgumentHelp("The elevation of its zero in the site's datum, metres.", valueName: "m"))
    var zero: Double?
    @Option(help: ArgumentHelp("The height above the zero at which it is mounted, metres.", valueName: "m"))
    var mount: Double?
    @Flag(help: "Only check; register nothing.")
    var dryRun = false
    @Option(help: ArgumentHelp("Wait so long for the first reading.", valueName: "d"))
    var wait: SpanArgument?
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await self.connection.withClient(creating: true) { client in
            let cells = try await self.cells(client)
            let device = try await client.post(
                "/api/devices",
                query: [("dry_run", self.dryRun ? "1" : nil)],
                body: Data(JSONValue.objectText(cells.map { (key: $0.0, value: $0.1) }).utf8)
            )
            let id = device["device"].cellText
            guard !self.dryRun else {
                StandardOutput.write("would be \(device["verdict"].cellText): \(id)")
                return
            }
            StandardOutput.write("registered \(id) at \(device["site"].cellText)")
            for note in device[Terminal.isChinese ? "notes_zh" : "notes"].elements {
                StandardOutput.write(note.cellText)
            }
            StandardOutput.write(FirstReading.line(of: device))
            guard device["state"].string == "waiting" else { return }
            StandardOutput.write("it publishes to \(device["topic"].cellText)")
            if let wait { try await FirstReading.wait(for: id, client, limit: .milliseconds(wait.milliseconds)) }
        }
    }

    /// The members that the service wants; on a terminal what is missing is asked for.
    private func cells(_ client: APIClient) async throws -> [(String, JSONValue)] {
        // What a scanner reads from a label says more than the id.
        let label = self.id.flatMap(DeviceLabel.init(text:))
        var id = label?.device ?? self.id
        var model = self.model ?? label.flatMap { $0.model.isEmpty ? nil : $0.model }
        var address = self.address ?? label.flatMap { $0.address.isEmpty ? nil : $0.address }
        var site = self.site
        var siteName = self.siteName
        var kind = self.kind
        if id == nil || model == nil || site == nil {
            guard isatty(STDIN_FILENO) == 1 else {
                throw ValidationError("give ID, --model and --site; they are asked for only on a terminal")
            }
            if id == nil {
                let answer = try Question.ask("device id, or its label / 设备编号或标签内容")
                let label = DeviceLabel(text: answer)
                id = label?.device ?? answer
                model = model ?? label.flatMap { $0.model.isEmpty ? nil : $0.model }
                address = address ?? label.flatMap { $0.address.isEmpty ? nil : $0.address }
            }
            let models = try await client.get("/api/models").elements.map { $0["model"].cellText }
            model = try model ?? Question.choose("model / 型号", among: models)
            let sites = try await client.get("/api/sites").elements.map { $0["site"].cellText }
            site = try site ?? Question.ask("site id / 站点编号", completing: sites)
            if let site, !sites.contains(site) {
                siteName = try siteName ?? Question.ask("'\(site)' is new; its name / 新站点，名称")
                let kinds = ["field", "river", "lake", "reservoir", "rain", "pond"]
                kind = try kind ?? Question.choose("kind of site / 站点类型", among: kinds)
            }
        }
        let texts: [(String, String?)] = [
            ("device_id", id), ("model", model), ("site_id", site), ("site_name", siteName), ("kind", kind),
            ("org", self.org), ("basin", self.basin), ("name", self.name), ("address", address),
            ("interval", self.interval),
        ]
        let numbers: [(String, Double?)] = [
            ("latitude", self.latitude), ("longitude", self.longitude), ("zero_elevation_m", self.zero),
            ("mount_height_m", self.mount),
        ]
        return texts.compactMap { name, text in text.map { (name, .string($0)) } }
            + numbers.compactMap { name, number in number.map { (name, .number($0)) } }
    }
}

/// Questions on a terminal.
enum Question {
    /// - Throws: ``CommandFailure`` at the end of the input.
    static func ask(_ what: String, completing known: [String] = []) throws -> String {
        if !known.isEmpty {
            let shown = known.prefix(20).joined(separator: ", ")
            StandardError.write("  known / 已有: \(shown)\(known.count > 20 ? ", …" : "")")
        }
        while true {
            StandardError.overwrite("\(what): ")
            guard let line = readLine() else {
                throw CommandFailure("the input ended before all questions were answered")
            }
            let answer = line.trimmingCharacters(in: .whitespaces)
            if !answer.isEmpty { return answer }
        }
    }

    /// Takes a number of the list or the text itself.
    static func choose(_ what: String, among choices: [String]) throws -> String {
        for (index, choice) in choices.enumerated() { StandardError.write("  \(index + 1) \(choice)") }
        while true {
            let answer = try self.ask(what)
            if let number = Int(answer), choices.indices.contains(number - 1) { return choices[number - 1] }
            if choices.contains(answer) { return answer }
            StandardError.write("'\(answer)' is none of them; give a number from 1 to \(choices.count)")
        }
    }
}

/// Whether a device has reported, in one line.
enum FirstReading {
    /// `registered – waiting for the first reading`, or `first data 21.4 % at 10:02`.
    static func line(of device: JSONValue) -> String {
        guard device["state"].string != "waiting" else { return "registered – waiting for the first reading / 等待首条数据" }
        let newest = device["channels"].elements.filter { !$0["last_value"].isNull }
            .max { $0["last_time"].cellText < $1["last_time"].cellText }
        guard let newest else { return "state: \(device["state"].cellText)" }
        let words = self.words(value: newest["last_value"], unit: newest["unit"], time: newest["last_time"])
        return "\(words.en) (\(newest["metric"].cellText), \(newest["last_time"].cellText))"
    }

    /// `first data 21.4 % at 10:02`, in both languages.
    static func words(value: JSONValue, unit: JSONValue, time: JSONValue) -> (zh: String, en: String) {
        let value = value.cellText + (unit.cellText.isEmpty ? "" : " \(unit.cellText)")
        let clock = time.cellText.dropFirst(11).prefix(5)
        return ("首条数据 \(value)，\(clock)", "first data \(value) at \(clock)")
    }

    /// - Throws: ``CommandFailure`` when nothing came in time.
    static func wait(for id: String, _ client: APIClient, limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            let device = try await client.get("/api/devices/\(APIClient.component(id))")
            if device["state"].string != "waiting" {
                StandardOutput.write(self.line(of: device))
                return
            }
            try await Task.sleep(for: .milliseconds(500))
        }
        throw CommandFailure(
            "no reading of '\(id)' came in \(limit); 'poyang quarantine list --device \(id)' shows what was refused"
        )
    }
}
