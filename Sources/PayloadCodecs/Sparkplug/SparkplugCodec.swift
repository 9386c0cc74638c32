// poyang
// SPDX-License-Identifier: Apache-2.0

internal import SwiftProtobuf
package import Telemetry

/// Messages of Sparkplug B: births, data and deaths of edge nodes and their devices.
///
/// The keys are the metrics' names. Data may name a metric by the alias of its birth alone, so that the codec remembers the
/// births; what it has not heard, since it started late or a number in the sequence is missing, it asks for: a message
/// whose ``DecodedMessage/rebirth`` is set wants the node's birth requested there. Values of births are readings, too. The
/// time is the metric's, else the message's; a historical value is late data like any other. What is transient, null or no
/// number is no reading. Source: Eclipse Sparkplug 3.0.
package struct SparkplugCodec: PayloadCodec {
    /// What the topic of the payloads that follow says.
    package var topic: SparkplugTopic?
    package var now = Timestamp(milliseconds: 0)

    /// Metrics in one payload; one with more is refused.
    static let metricLimit = 50_000
    /// Between two requests for a birth of one node.
    private static let patience: Milliseconds = 60_000

    private let limit: Int
    private var nodes: [String: SparkplugNode] = [:]
    /// Aliases and types of all nodes.
    private var aliases = 0
    private var messages = 0

    private static let options: BinaryDecodingOptions = {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        return options
    }()

    /// - Parameter limit: The longest payload that is read, in bytes.
    package init(limit: Int = NativeJSONCodec.defaultLimit) {
        self.limit = limit
    }

    package mutating func decode(_ payload: Span<UInt8>, into message: inout DecodedMessage) {
        message.removeAll()
        guard let topic, let kind = topic.kind else { return }
        guard message.begin(payload, limit: self.limit) else { return }
        guard WireCensus.count(of: 2, in: payload) <= Self.metricLimit else {
            message.refuseWhole(.tooLarge, "more than \(Self.metricLimit) metrics; send several smaller messages")
            return
        }
        let content: SparkplugPayload
        do {
            content = try SparkplugPayload(
                serializedBytes: payload.withUnsafeBytes { Array($0) },
                options: Self.options
            )
        } catch {
            message.refuseWhole(.malformed, "the payload is no org.eclipse.tahu.protobuf.Payload of Sparkplug B")
            return
        }
        message.senders.append(DecodedMessage.Sender(name: .address(topic.address), firstReading: 0))
        message.isOfNetworkServer = true
        var node = self.nodes.removeValue(forKey: topic.nodeAddress) ?? SparkplugNode()
        self.aliases -= node.remembered
        let isWhole = node.follow(kind, device: topic.device, content)
        self.aliases += node.remembered
        self.messages += 1
        node.heard = self.messages
        let unknown = Self.read(content, node, device: topic.device, into: &message)
        message.frame.decodedByServer = message.readings.count
        if unknown > 0 {
            message.refuse(
                Refusal(
                    reason: .malformed,
                    detail: "\(unknown) metrics have aliases, or numbers without a type, that no birth of "
                        + "\(topic.nodeAddress) has explained since we listen; its birth is requested",
                    values: unknown
                )
            )
        }
        if node.asks(isMissed: !isWhole || unknown > 0, at: self.now, after: Self.patience) {
            message.rebirth = topic.command
        }
        self.nodes[topic.nodeAddress] = node
        if self.nodes.count > SparkplugNode.countLimit || self.aliases > SparkplugNode.totalAliasLimit {
            self.forgetTheQuiet()
        }
    }

    /// Forgets the half of the nodes that were not heard for longest; who speaks again is asked for its birth.
    private mutating func forgetTheQuiet() {
        let quiet = self.nodes.sorted { $0.value.heard < $1.value.heard }.prefix((self.nodes.count + 1) / 2)
        for (name, node) in quiet {
            self.nodes[name] = nil
            self.aliases -= node.remembered
        }
    }

    /// The readings of a message, and how many metrics have no name, or no type without which their sign is not known.
    private static func read(
        _ content: SparkplugPayload,
        _ node: SparkplugNode,
        device: String,
        into message: inout DecodedMessage
    ) -> Int {
        var unknown = 0
        let sent = content.hasTimestamp ? Int64(clamping: content.timestamp) : nil
        for metric in content.metrics {
            var name = metric.name
            var type = metric.datatype
            if name.isEmpty {
                guard let known = node.aliases[metric.alias] else {
                    unknown += 1
                    continue
                }
                name = known.name
                if type == 0 { type = known.type }
            } else if type == 0, metric.isWhole {
                guard let known = node.type(of: name, device: device) ?? (metric.mayBeNegative ? nil : 0) else {
                    unknown += 1
                    continue
                }
                type = known
            }
            guard !metric.isNull, !metric.isTransient, !self.isOfProtocol(name),
                let value = metric.number(type), value.isFinite
            else { continue }
            let time = metric.hasTimestamp ? Int64(clamping: metric.timestamp) : sent
            message.readings.append(
                Reading(key: name, value: value, time: time.map { Timestamp(milliseconds: min($0, self.latest)) })
            )
        }
        return unknown
    }

    /// 9999-12-31T23:59:59.999Z.
    private static let latest: Int64 = 253_402_300_799_999

    /// What every node has to tell of itself.
    private static func isOfProtocol(_ name: String) -> Bool {
        name == "bdSeq" || name.hasPrefix("Node Control/") || name.hasPrefix("Device Control/")
    }

    /// The order to an edge node to give birth anew (6.4.22), for the topic in ``DecodedMessage/rebirth``.
    package static func rebirthOrder(at time: Timestamp) -> [UInt8] {
        var order = SparkplugMetric()
        order.name = "Node Control/Rebirth"
        order.datatype = 11
        order.booleanValue = true
        var payload = SparkplugPayload()
        payload.timestamp = UInt64(clamping: time.milliseconds)
        payload.metrics = [order]
        return (try? payload.serializedBytes()) ?? []
    }
}

extension SparkplugMetric {
    fileprivate var isWhole: Bool {
        switch self.value {
        case .intValue, .longValue: true
        case .floatValue, .doubleValue, .booleanValue, .stringValue, nil: false
        }
    }

    /// Whether it is below zero in a type with a sign, and a large number in one without.
    fileprivate var mayBeNegative: Bool {
        switch self.value {
        case .intValue(let bits): bits > UInt32(Int32.max)
        case .longValue(let bits): bits > UInt64(Int64.max)
        case .floatValue, .doubleValue, .booleanValue, .stringValue, nil: false
        }
    }

    /// The value by its data type (6.4.16): whole numbers below zero come as the two's complement of their type.
    fileprivate func number(_ type: UInt32) -> Double? {
        switch self.value {
        case .intValue(let bits):
            switch type {
            case 1: Double(Int8(truncatingIfNeeded: bits))
            case 2: Double(Int16(truncatingIfNeeded: bits))
            case 3: Double(Int32(bitPattern: bits))
            default: Double(bits)
            }
        case .longValue(let bits): type == 4 || type == 3 ? Double(Int64(bitPattern: bits)) : Double(bits)
        // The shortest decimal of the float: 12.1 and not 12.100000381.
        case .floatValue(let float): Double(float.description)
        case .doubleValue(let double): double
        case .booleanValue(let flag): flag ? 1 : 0
        case .stringValue, nil: nil
        }
    }
}
