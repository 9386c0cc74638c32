// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct DevicesWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "See the messages of a device while they come in: bytes, values, flags, rules.",
        discussion: """
            Shows each message when it is on disk and the rules have judged it: its bytes,
            what read them, the values with their quality flags (1 pass, 2 not evaluated,
            3 suspect, 4 fail, 9 missing), what was refused and why, and what the rules
            say of the site. A device that has not reported yet is waited for. With --json
            each message is one object on a line of its own.

              poyang devices watch field7-soil
            """
    )

    @Argument(help: "The device's id.")
    var id: String
    @Option(help: ArgumentHelp("End after so many messages.", valueName: "n"))
    var count: Int?
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        try await self.connection.withClient(creating: false) { client, ownService in
            guard ownService == nil else {
                throw CommandFailure("no service is running, so nothing comes in; start it with 'poyang serve'")
            }
            var screen = WatchScreen(asJSON: self.output.json, remaining: self.count ?? .max)
            var wait = Duration.milliseconds(200)
            while screen.remaining > 0 {
                let shown = screen.shown
                do {
                    try await client.events("/api/devices/\(APIClient.component(self.id))/watch", query: []) { event in
                        try screen.take(event)
                    }
                    StandardError.write("the stream has ended; asking again")
                } catch is EndOfWatch {
                    return
                } catch let error as StreamInterrupted {
                    StandardError.write("the stream broke off (\(error.reason)); asking again")
                } catch let failure as CommandFailure where screen.hasBegun {
                    StandardError.write("\(failure.message); asking again")
                }
                wait = screen.shown > shown ? .milliseconds(200) : min(wait * 2, .seconds(10))
                try await Task.sleep(for: wait)
            }
        }
    }
}

/// As many messages as were asked for have been shown.
struct EndOfWatch: Error {}

/// What has been shown of a device.
private struct WatchScreen {
    let asJSON: Bool
    var remaining: Int
    var shown = 0
    /// The service has answered.
    var hasBegun = false
    /// No reading of it was ever stored.
    private var isWaiting = false
    private let isChinese = Terminal.isChinese

    init(asJSON: Bool, remaining: Int) {
        self.asJSON = asJSON
        self.remaining = remaining
    }

    mutating func take(_ event: ServerSentEvent) throws {
        let value = try JSONValue.parse(Data(event.data.utf8))
        if event.name == "device" {
            if !self.hasBegun {
                if self.asJSON {
                    StandardError.write(self.beginning(value))
                } else {
                    StandardOutput.write(self.beginning(value))
                }
            }
            self.isWaiting = value["state"].string == "waiting"
            self.hasBegun = true
            return
        }
        if self.asJSON {
            StandardOutput.write(value.jsonText)
        } else {
            for line in WatchLines(isChinese: self.isChinese).lines(of: value) { StandardOutput.write(line) }
        }
        if self.isWaiting, let first = value["values"].elements.first {
            self.isWaiting = false
            let words = FirstReading.words(value: first["value"], unit: first["unit"], time: first["time"])
            let line = self.isChinese ? "已登记 – 等待 – \(words.zh)" : "registered – waiting – \(words.en)"
            // With --json, too, somebody may be looking.
            if self.asJSON { StandardError.write(line) } else { StandardOutput.write(line) }
        }
        self.shown += 1
        self.remaining -= 1
        if self.remaining == 0 { throw EndOfWatch() }
    }

    private func beginning(_ device: JSONValue) -> String {
        var name = "\(device["device"].cellText) · \(device["model"].cellText) · \(device["site"].cellText)"
        if let connection = device["connection"].string {
            let since = device["connection_since"].cellText
            name += self.isChinese ? " · 连接 \(connection)，始于 \(since)" : " · \(connection) since \(since)"
        }
        guard device["state"].string == "waiting" else {
            let seen = device["last_seen"].cellText
            return self.isChinese
                ? "\(name) · \(device["state"].cellText)，最近数据 \(seen)"
                : "\(name) · \(device["state"].cellText), last seen \(seen)"
        }
        return self.isChinese
            ? "\(name)\n已登记 – 等待首条数据；请发布到 \(device["topic"].cellText)"
            : "\(name)\nregistered – waiting for the first reading; it publishes to \(device["topic"].cellText)"
    }
}

/// One message as lines for people.
struct WatchLines {
    let isChinese: Bool

    /// Bytes of a payload that are shown as digits.
    private static let shownBytes = 64

    func lines(of message: JSONValue) -> [String] {
        let time = message["received_at"].cellText.dropFirst(11).prefix(8)
        let length = message["length"].cellText
        let topic = message["topic"].cellText
        let decoder = message["decoder"].cellText
        var lines = [
            "\(time)  \(topic)  \(self.isChinese ? "\(length) 字节，解码 \(decoder)" : "\(length) bytes, read as \(decoder)")"
        ]
        if message["partial"] == .bool(true) {
            lines.append(
                self.isChinese
                    ? "  （报文含多台设备的数据：只显示本设备的数值，原始字节不显示）"
                    : "  (a message of several devices: only the values of this one are shown, and no bytes)"
            )
        } else if let text = message["text"].string {
            lines.append("  \(text.replacing("\n", with: " "))")
        } else {
            lines.append("  " + Self.spaced(message["hex"].cellText))
        }
        lines += message["values"].elements.map { "  " + self.value($0) }
        lines += message["refused"].elements.map { "  " + self.refusal($0) }
        let alerts = message["alerts"].elements
        if alerts.isEmpty {
            lines.append(self.isChinese ? "  规则：无告警" : "  rules: nothing to say")
        } else {
            lines += alerts.map { alert in
                let name = [alert["alert"].cellText, alert["level"].cellText].filter { !$0.isEmpty }
                    .joined(separator: "/")
                let since = alert["since"].cellText
                return self.isChinese
                    ? "  规则：\(name) \(alert["state"].cellText)，始于 \(since)，值 \(alert["value"].cellText)"
                    : "  rules: \(name) \(alert["state"].cellText) since \(since), value \(alert["value"].cellText)"
            }
        }
        return lines
    }

    private func value(_ value: JSONValue) -> String {
        let labels = DevicesShow.flat(value["labels"]).cellText
        let quality = "\(value["quality"].cellText) \(value["quality_name"].cellText)"
        var notes = [self.isChinese ? "质量 \(quality)" : "quality \(quality)"]
        if let test = value[self.isChinese ? "failed_test_zh" : "failed_test"].string { notes.append(test) }
        if value["revision"] == .bool(true) { notes.append(self.isChinese ? "改判" : "revised") }
        if let method = value["method"].string, method != "measured" { notes.append(method) }
        if value["simulated"] == .bool(true) { notes.append(self.isChinese ? "模拟" : "simulated") }
        let number = value["value"].isNull ? "NaN" : value["value"].cellText
        return "\(value["metric"].cellText){\(labels)} = \(number) \(value["unit"].cellText)  "
            + "\(value["time"].cellText)  (\(notes.joined(separator: ", ")))"
    }

    private func refusal(_ refusal: JSONValue) -> String {
        let key = refusal["key"].string.map { "\($0): " } ?? ""
        let words = self.isChinese ? "拒收，进入隔离区" : "refused, in quarantine"
        return "! \(words) (\(refusal["reason"].cellText)): \(key)\(refusal["detail"].cellText)"
    }

    private static func spaced(_ digits: String) -> String {
        let shown = digits.prefix(2 * Self.shownBytes)
        var text = ""
        for (index, digit) in shown.enumerated() {
            if index > 0, index % 2 == 0 { text += " " }
            text.append(digit)
        }
        return shown.count < digits.count ? text + " …" : text
    }
}
