// poyang
// SPDX-License-Identifier: Apache-2.0

import Platform

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
    var brokerUser: String?
    var brokerPassword: String?
    /// A PEM file of the authorities that sign the broker's certificate.
    var brokerAuthority: String?
    /// A folder in which the broker's passwords and rights are kept.
    var brokerAccounts: String?
    /// The broker's `pid_file`.
    var brokerPidFile: String?
    /// The host of `--listen`.
    var host = "127.0.0.1"
    /// The port of `--listen`; 0 takes a free one.
    var port = 8640
    var clock = Clock.wall
    var isExercise = false
    /// CAP's sender, once the office has one.
    var sender: String?
    var senderName: String?
    /// The least that is logged: `trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`.
    var logLevel = "info"
    /// How far the threads of queries stand behind all others, 0 … 19 (nice(1)).
    var queryNiceness = 15
    /// When the list of silent devices is sent, in minutes after midnight of +08:00.
    var morningList = 8 * 60
    /// What is kept how long; without a rule everything, for ever.
    var retention: [RetentionRule] = []

    /// Layers of settings, the most important first; what no layer says keeps its default.
    init(layers: [ServeSettings]) throws {
        func first<Value>(_ read: (ServeSettings) -> Value?) -> Value? { layers.lazy.compactMap(read).first }
        if let data = first(\.data) { self.data = data }
        if let devices = first(\.devices) { self.devices = devices }
        if let rules = first(\.rules) { self.rules = rules }
        if let broker = first(\.broker) { self.broker = broker }
        if let clock = first(\.clock) { self.clock = clock }
        if let isExercise = first(\.isExercise) { self.isExercise = isExercise }
        self.brokerUser = first(\.brokerUser)
        self.brokerPassword = first(\.brokerPassword)
        self.brokerAuthority = first(\.brokerAuthority)
        self.brokerAccounts = first(\.brokerAccounts)
        self.brokerPidFile = first(\.brokerPidFile)
        self.sender = first(\.sender)
        self.senderName = first(\.senderName)
        if let logLevel = first(\.logLevel) { self.logLevel = logLevel }
        if let niceness = first(\.queryNiceness) { self.queryNiceness = niceness }
        if let minute = first(\.morningList) { self.morningList = minute }
        if let retention = first(\.retention) { self.retention = retention }
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
