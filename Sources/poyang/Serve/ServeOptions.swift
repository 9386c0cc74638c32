// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import StrictYAML

/// What `poyang serve` runs with.
struct ServeOptions: Hashable, Sendable {
    enum Broker: Hashable, Sendable {
        /// `mqtt[s]://HOST:PORT`
        case url(String)
        /// A mosquitto of our own on a free loopback port.
        case embedded
    }

    /// What moves the tick clocks of the sites.
    enum Clock: String, Hashable, Sendable, CaseIterable {
        case wall
        /// Only `poyang clock advance`; for replays.
        case data
    }

    var data = "data"
    var devices = "Devices"
    var rules = "Rules"
    var broker = Broker.url("mqtt://127.0.0.1:1883")
    /// The host of `--listen`.
    var host = "127.0.0.1"
    /// The port of `--listen`; 0 takes a free one.
    var port = 8640
    var clock = Clock.wall
    var isExercise = false

    /// Layers of settings, the most important first; what no layer says keeps its default.
    init(layers: [ServeSettings]) throws {
        func first<Value>(_ read: (ServeSettings) -> Value?) -> Value? { layers.lazy.compactMap(read).first }
        if let data = first(\.data) { self.data = data }
        if let devices = first(\.devices) { self.devices = devices }
        if let rules = first(\.rules) { self.rules = rules }
        if let broker = first(\.broker) { self.broker = broker }
        if let clock = first(\.clock) { self.clock = clock }
        if let isExercise = first(\.isExercise) { self.isExercise = isExercise }
        if let listen = first(\.listen) { (self.host, self.port) = try ServeOptions.address(listen) }
    }

    /// Splits `HOST:PORT`; an IPv6 host stands in brackets.
    ///
    /// - Throws: ``CommandFailure`` that names the form.
    static func address(_ text: String) throws -> (host: String, port: Int) {
        let wrong = CommandFailure(
            "--listen '\(text)' is no HOST:PORT; for example 127.0.0.1:8640, port 0 takes a free one"
        )
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw wrong
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw wrong
        }
        guard !host.isEmpty else { throw wrong }
        return (String(host), Int(port))
    }
}

/// The settings of one layer (flags, environment or file); `nil` where the layer does not say.
struct ServeSettings: Hashable, Sendable {
    var data: String?
    var devices: String?
    var rules: String?
    var broker: ServeOptions.Broker?
    var listen: String?
    var clock: ServeOptions.Clock?
    var isExercise: Bool?

    init() {}

    /// From `POYANG_DATA`, `POYANG_DEVICES`, `POYANG_RULES`, `POYANG_BROKER`, `POYANG_EMBEDDED_BROKER`,
    /// `POYANG_LISTEN`, `POYANG_CLOCK` and `POYANG_EXERCISE`; an empty variable says nothing.
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

    /// From a YAML file with the keys `data devices rules broker embedded_broker listen clock exercise`.
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
        let keys = ["data", "devices", "rules", "broker", "embedded_broker", "listen", "clock", "exercise"]
        if let map = YAMLValue.parse(text, file: file, problems: problems)?.mapping(keys: keys) {
            self.data = map["data"]?.string
            self.devices = map["devices"]?.string
            self.rules = map["rules"]?.string
            self.listen = map["listen"]?.string
            self.isExercise = map["exercise"]?.bool
            if let value = map["clock"], let name = value.string {
                self.clock = ServeOptions.Clock(rawValue: name)
                if self.clock == nil { value.report("'\(name)' is no clock; write wall or data") }
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
