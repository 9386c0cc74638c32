// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Telemetry

struct RulesExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show why a rule fires or does not: each part of it with its values.",
        discussion: """
            ALERT is the name of an alert, the id of a rule, or the beginning of either.
            Below each rule stand its alerts with their state, and then expr, clear, maybe and
            threshold, each part with its values and the time of the newest sample behind it.
            Without --at it is the clock of the site.

              poyang rules explain StageAtOrAboveThreshold --site xingzi
              poyang rules explain flood/stage --site usgs-01581752 --at 2018-08-31T22:50:00Z
            """
    )

    @Argument(help: "The alert or rule.")
    var alert: String
    @Option(help: ArgumentHelp("Only this site.", valueName: "id"))
    var site: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The moment.", valueName: "time"),
        transform: MomentArgument.read
    )
    var at: MomentArgument?
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: TableOptions

    func run() async throws {
        let query = [("alert", self.alert), ("site", self.site), ("time", self.at?.unixSeconds)]
        let answer = try await self.connection.withClient { client in
            try await client.get("/api/v1/rules/explain", query: query)
        }
        let rules = answer["data"]["rules"].elements
        if self.output.json {
            ExplanationText.table(of: rules).print(asJSON: true, empty: "")
        } else {
            for rule in rules { StandardOutput.write(ExplanationText(rule: rule).text) }
        }
    }
}

/// An explained rule for people.
struct ExplanationText {
    let rule: JSONValue

    var text: String {
        let rule = self.rule
        var lines = [
            "\(rule["rule"].cellText)  hazard \(rule["hazard"].cellText), level \(rule["level"].cellText), "
                + "at \(rule["time"].cellText)"
        ]
        let states = rule["states"].elements
        if states.isEmpty { lines.append("  inactive: no alert is pending or fires") }
        for state in states { lines.append("  " + Self.state(state)) }
        for part in rule["parts"].elements { lines += Self.lines(of: part) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func state(_ state: JSONValue) -> String {
        var text = "\(state["state"].cellText) \(Self.labels(state["labels"]))"
        if !state["firingSince"].isNull { text += " since \(state["firingSince"].cellText)" }
        if !state["activeAt"].isNull { text += ", holds since \(state["activeAt"].cellText)" }
        if !state["value"].isNull { text += ", value \(state["value"].cellText)" }
        if !state["threshold"].isNull { text += ", threshold \(state["threshold"].cellText)" }
        if !state["reason"].isNull { text += ", \(state["reason"].cellText)" }
        return text
    }

    private static func lines(of part: JSONValue) -> [String] {
        let depth = Int(part["depth"].integer ?? 0)
        let name = depth == 0 ? "\(part["of"].cellText): " : ""
        let blanks = String(repeating: "  ", count: depth + 1)
        var lines = ["\(blanks)\(name)\(part["expression"].cellText)"]
        let newest = part["newestSample"].isNull ? "" : "   newest sample \(part["newestSample"].cellText)"
        let values = part["values"].elements
        if !part["error"].isNull {
            lines.append("\(blanks)  = error: \(part["error"].cellText)")
        } else if values.isEmpty {
            lines.append("\(blanks)  = nothing\(newest)")
        }
        for (index, value) in values.enumerated() {
            let count = value["samples"].isNull ? "" : " (the last of \(value["samples"].cellText))"
            let labels = Self.labels(value["labels"])
            let prefix = labels == "{}" ? "" : "\(labels) "
            lines.append("\(blanks)  = \(prefix)\(value["value"].cellText)\(count)\(index == 0 ? newest : "")")
        }
        if let more = part["more"].integer, more > 0 { lines.append("\(blanks)  = and \(more) more") }
        return lines
    }

    private static func labels(_ labels: JSONValue) -> String {
        guard case .object(let members) = labels else { return "{}" }
        let pairs = members.filter { $0.key != "__name__" }.sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value.cellText.jsonString)" }
        return "{\(pairs.joined(separator: ", "))}"
    }

    /// A row for each state, and for each value of each part.
    static func table(of rules: [JSONValue]) -> Table {
        let columns = [
            "rule", "alert", "level", "time", "part", "depth", "expression", "labels", "value", "samples",
            "newest_sample", "state", "since", "threshold", "reason", "error",
        ]
        var table = Table(columns: columns)
        for rule in rules {
            let head = [rule["rule"], rule["alert"], rule["level"], rule["time"]]
            for state in rule["states"].elements {
                let since = state["firingSince"].isNull ? state["activeAt"] : state["firingSince"]
                table.append(
                    head + [
                        .string("state"), .null, .null, .string(Self.labels(state["labels"])), state["value"], .null,
                        .null, state["state"], since, state["threshold"], state["reason"], .null,
                    ]
                )
            }
            for part in rule["parts"].elements {
                let values = part["values"].elements
                for value in values.isEmpty ? [.null] : values {
                    table.append(
                        head + [
                            part["of"], part["depth"], part["expression"],
                            value.isNull ? .null : .string(Self.labels(value["labels"])), value["value"],
                            value["samples"], part["newestSample"], .null, .null, .null, .null, part["error"],
                        ]
                    )
                }
            }
        }
        return table
    }
}
