// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Platform
import StrictYAML

/// The settings of one layer (flags, environment or file); `nil` where the layer does not say.
struct ServeSettings: Hashable, Sendable {
    var data: String?
    var devices: String?
    var rules: String?
    var broker: ServeOptions.Broker?
    var brokerUser: String?
    var brokerPassword: String?
    var brokerAuthority: String?
    var brokerAccounts: String?
    var brokerPidFile: String?
    var listen: String?
    var clock: ServeOptions.Clock?
    var isExercise: Bool?
    var sender: String?
    var senderName: String?
    var logLevel: String?
    /// How far the threads of queries stand behind all others, 0 … 19.
    var queryNiceness: Int?
    /// Minutes after midnight of +08:00.
    var morningList: Int?
    /// Only in the file.
    var retention: [RetentionRule]?

    static let niceness = 0...19
    static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    init() {}

    /// From `POYANG_DATA`, `_DEVICES`, `_RULES`, `_BROKER`, `_BROKER_USER`, `_BROKER_PASSWORD`, `_BROKER_AUTHORITY`,
    /// `_BROKER_ACCOUNTS`, `_BROKER_PID_FILE`, `_EMBEDDED_BROKER`, `_LISTEN`, `_CLOCK`, `_EXERCISE`, `_SENDER`, `_SENDER_NAME`, `_LOG_LEVEL`,
    /// `_QUERY_NICENESS` and `_MORNING_LIST`; an empty variable says nothing.
    ///
    /// - Throws: ``CommandFailure`` that names the variable and what it may hold.
    init(environment: [String: String]) throws {
        func text(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        func flag(_ name: String) throws -> Bool? {
            guard let text = text(name) else { return nil }
            switch text.lowercased() {
            case "1", "true", "yes", "on": return true
            case "0", "false", "no", "off": return false
            default: throw CommandFailure("\(name)='\(text)': write true or false")
            }
        }
        self.data = text("POYANG_DATA")
        self.devices = text("POYANG_DEVICES")
        self.rules = text("POYANG_RULES")
        self.listen = text("POYANG_LISTEN")
        self.isExercise = try flag("POYANG_EXERCISE")
        self.brokerUser = text("POYANG_BROKER_USER")
        self.brokerPassword = text("POYANG_BROKER_PASSWORD")
        self.brokerAuthority = text("POYANG_BROKER_AUTHORITY")
        self.brokerAccounts = text("POYANG_BROKER_ACCOUNTS")
        self.brokerPidFile = text("POYANG_BROKER_PID_FILE")
        self.sender = text("POYANG_SENDER")
        self.senderName = text("POYANG_SENDER_NAME")
        if let number = text("POYANG_QUERY_NICENESS") {
            guard let niceness = Int(number), Self.niceness.contains(niceness) else {
                throw CommandFailure("POYANG_QUERY_NICENESS='\(number)': write a number from 0 to 19")
            }
            self.queryNiceness = niceness
        }
        if let time = text("POYANG_MORNING_LIST") {
            guard let minute = Self.timeOfDay(time) else {
                throw CommandFailure("POYANG_MORNING_LIST='\(time)': \(Self.timeAdvice)")
            }
            self.morningList = minute
        }
        if let level = text("POYANG_LOG_LEVEL") {
            guard ServeSettings.logLevels.contains(level) else {
                throw CommandFailure(
                    "POYANG_LOG_LEVEL='\(level)': write one of \(ServeSettings.logLevels.joined(separator: " "))"
                )
            }
            self.logLevel = level
        }
        if let name = text("POYANG_CLOCK") {
            guard let clock = ServeOptions.Clock(rawValue: name) else {
                throw CommandFailure("POYANG_CLOCK='\(name)': write wall or data")
            }
            self.clock = clock
        }
        let isEmbedded = try flag("POYANG_EMBEDDED_BROKER") ?? false
        if isEmbedded, text("POYANG_BROKER") != nil {
            throw CommandFailure("POYANG_BROKER and POYANG_EMBEDDED_BROKER exclude each other; unset one of them")
        }
        self.broker = isEmbedded ? .embedded : text("POYANG_BROKER").map { .url($0) }
    }

    private static let timeAdvice = "write hours and minutes of +08:00, such as \"08:00\""

    /// Minutes after midnight of `08:00`; nil where it is no time of day.
    private static func timeOfDay(_ text: String) -> Int? {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 2, fields.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isASCII) }),
            let hour = UInt(fields[0]), let minute = UInt(fields[1]), hour < 24, minute < 60
        else { return nil }
        return Int(hour * 60 + minute)
    }

    /// From a YAML file with the names of the variables in lower case, without `poyang_`, as keys.
    ///
    /// - Throws: ``ProblemList`` with the place of everything that is wrong; ``CommandFailure`` when the file cannot
    ///   be read.
    init(file path: String) throws {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw CommandFailure("cannot read the configuration file \(path); check that it exists and is UTF-8")
        }
        try self.init(yaml: text, file: path)
    }

    init(yaml text: String, file: String) throws {
        let problems = ProblemCollector()
        let keys = [
            "data", "devices", "rules", "broker", "broker_user", "broker_password", "broker_authority",
            "broker_accounts", "broker_pid_file",
            "embedded_broker", "listen", "clock", "exercise", "sender", "sender_name", "log_level",
            "query_niceness", "morning_list", "retention",
        ]
        if let map = YAMLValue.parse(text, file: file, problems: problems)?.mapping(keys: keys) {
            self.data = map["data"]?.string
            self.devices = map["devices"]?.string
            self.rules = map["rules"]?.string
            self.listen = map["listen"]?.string
            self.isExercise = map["exercise"]?.bool
            self.brokerUser = map["broker_user"]?.string
            self.brokerPassword = map["broker_password"]?.string
            self.brokerAuthority = map["broker_authority"]?.string
            self.brokerAccounts = map["broker_accounts"]?.string
            self.brokerPidFile = map["broker_pid_file"]?.string
            self.sender = map["sender"]?.string
            self.senderName = map["sender_name"]?.string
            if let value = map["log_level"], let level = value.string {
                if !ServeSettings.logLevels.contains(level) {
                    value.report(
                        "'\(level)' is no level; write one of \(ServeSettings.logLevels.joined(separator: " "))"
                    )
                }
                self.logLevel = level
            }
            if let value = map["query_niceness"], let number = value.string {
                self.queryNiceness = Int(number).flatMap { Self.niceness.contains($0) ? $0 : nil }
                if self.queryNiceness == nil { value.report("'\(number)' is no niceness; write a number from 0 to 19") }
            }
            if let value = map["morning_list"], let time = value.string {
                self.morningList = Self.timeOfDay(time)
                if self.morningList == nil { value.report("'\(time)' is no time of day: \(Self.timeAdvice)") }
            }
            if let value = map["clock"], let name = value.string {
                self.clock = ServeOptions.Clock(rawValue: name)
                if self.clock == nil { value.report("'\(name)' is no clock; write wall or data") }
            }
            if let value = map["retention"] {
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                self.retention = RetentionRule.read(value, source: lines)
            }
            self.broker = map["broker"]?.string.map { .url($0) }
            if let value = map["embedded_broker"], value.bool == true {
                if self.broker != nil { value.report("broker and embedded_broker exclude each other; keep one") }
                self.broker = .embedded
            }
        }
        try problems.throwIfAny()
    }
}
