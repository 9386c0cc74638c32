// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What the births of an edge node and its devices have said, and where its sequence stands.
struct SparkplugNode: Sendable {
    struct Name: Sendable {
        var name: String
        var type: UInt32
    }

    private struct Member: Hashable {
        /// Empty for the node's own.
        var device: String
        var name: String
    }

    /// Nodes that are remembered.
    static let countLimit = 10_000
    /// Aliases of one node that are remembered, and of all nodes together.
    private static let aliasLimit = 100_000
    static let totalAliasLimit = 1_000_000
    /// Bytes of a name that is remembered.
    private static let nameLimit = 256

    /// Unique in a node with all its devices (6.4.6).
    private(set) var aliases: [UInt64: Name] = [:]
    /// The types of whole numbers, of which some may be below zero: data need not repeat them (6.4.16).
    private var types: [Member: UInt32] = [:]
    /// The number of its newest message, among those of all nodes.
    var heard = 0
    private var sequence: UInt64?
    private var birth: UInt64?
    private var lastAsked: Timestamp?
    /// Whether its birth is to be requested, as soon as that is allowed.
    private var owesBirth = false

    /// How much of its births is remembered.
    var remembered: Int { self.aliases.count + self.types.count }

    /// The type that a birth gave to a metric that is a whole number; nil where no birth was heard.
    func type(of name: String, device: String) -> UInt32? { self.types[Member(device: device, name: name)] }

    /// Follows the node's life; `device` is the one that the topic names, empty for the node itself.
    ///
    /// - Returns: False when something of it was not heard: a birth, or a number of the sequence.
    mutating func follow(_ kind: SparkplugTopic.Kind, device: String, _ content: SparkplugPayload) -> Bool {
        switch kind {
        case .nodeBirth:
            self.aliases.removeAll(keepingCapacity: true)
            self.types.removeAll(keepingCapacity: true)
            self.owesBirth = false
            self.sequence = content.hasSeq ? content.seq : 0
            self.birth = Self.birthNumber(content)
            self.learn(content, device)
            return true
        case .nodeDeath:
            // The will of an earlier session may come late (6.4.17).
            guard let dead = Self.birthNumber(content), let birth, dead != birth else {
                self.aliases.removeAll()
                self.types.removeAll()
                self.owesBirth = false
                (self.sequence, self.birth) = (nil, nil)
                return true
            }
            return true
        case .deviceBirth:
            self.learn(content, device)
            return self.count(content)
        case .nodeData, .deviceData, .deviceDeath:
            return self.count(content)
        }
    }

    /// Whether its birth is to be requested now: it is missed (`isMissed`), or was since the last request.
    ///
    /// Not again within `patience`, whatever births come: a node that cannot count would give birth without end.
    mutating func asks(isMissed: Bool, at now: Timestamp, after patience: Milliseconds) -> Bool {
        if isMissed { self.owesBirth = true }
        guard self.owesBirth else { return false }
        if let lastAsked, now >= lastAsked, now - lastAsked < patience { return false }
        self.lastAsked = now
        self.owesBirth = false
        return true
    }

    /// Numbers go from 0 to 255 and begin anew; a message that comes twice has the number of the last.
    private mutating func count(_ content: SparkplugPayload) -> Bool {
        guard content.hasSeq, let last = self.sequence else {
            let isKnown = self.sequence != nil
            if content.hasSeq { self.sequence = content.seq }
            return isKnown
        }
        self.sequence = content.seq
        return content.seq == (last &+ 1) % 256 || content.seq == last
    }

    private mutating func learn(_ content: SparkplugPayload, _ device: String) {
        for metric in content.metrics where !metric.name.isEmpty && metric.name.utf8.count <= Self.nameLimit {
            guard self.remembered < Self.aliasLimit else { return }
            if metric.hasAlias { self.aliases[metric.alias] = Name(name: metric.name, type: metric.datatype) }
            let isWhole = (1...8).contains(metric.datatype)
            self.types[Member(device: device, name: metric.name)] = isWhole ? metric.datatype : nil
        }
    }

    private static func birthNumber(_ content: SparkplugPayload) -> UInt64? {
        for metric in content.metrics where metric.name == "bdSeq" {
            switch metric.value {
            case .longValue(let number): return number
            case .intValue(let number): return UInt64(number)
            default: return nil
            }
        }
        return nil
    }
}
