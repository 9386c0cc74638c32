// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
package import Telemetry

/// A message beside what came after it.
package struct FeedMessage: Hashable, Sendable {
    package var message: WarningMessage
    /// The next message of the same warning; `nil` for the newest.
    package var replacedBy: MessageReference?

    package init(_ message: WarningMessage, replacedBy: MessageReference? = nil) {
        self.message = message
        self.replacedBy = replacedBy
    }

    /// Pairs each message with the next one of its warning.
    ///
    /// The messages stand oldest first; what replaced one outside of them is not known here.
    package static func chain(_ messages: [WarningMessage]) -> [FeedMessage] {
        var next: [String: MessageReference] = [:]
        var chained: [FeedMessage] = []
        for message in messages.reversed() {
            chained.append(FeedMessage(message, replacedBy: next[message.number]))
            next[message.number] = message.reference
        }
        return chained.reversed()
    }
}

/// GeoJSON in the shape of the US National Weather Service's alerts, with properties of our own.
package enum GeoJSON {
    /// One feature on one line.
    ///
    /// `base` is what stands before `/alerts/…`: `http://127.0.0.1:8640`, or nothing.
    package static func feature(_ entry: FeedMessage, base: String = "") throws -> String {
        try encode(AlertFeature(entry, base: base))
    }

    /// A FeatureCollection; without features it says that nothing is in force.
    ///
    /// `updated` is when the collection last changed, `next` the address of the next page.
    package static func collection(
        _ entries: [FeedMessage],
        title: String,
        updated: Timestamp,
        next: String? = nil,
        base: String = ""
    ) throws -> String {
        try encode(
            AlertCollection(
                features: entries.map { AlertFeature($0, base: base) },
                title: title,
                updated: updated.wholeSeconds.rfc3339(),
                pagination: next.map { ["next": $0] }
            )
        )
    }

    private static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

private struct AlertCollection: Encodable {
    let type = "FeatureCollection"
    let features: [AlertFeature]
    let title: String
    let updated: String
    let pagination: [String: String]?

    private enum CodingKeys: String, CodingKey {
        case type
        case features
        case title
        case updated
        case pagination
    }
}

private struct AlertFeature: Encodable {
    let id: String
    let type = "Feature"
    let geometry: PointGeometry?
    let properties: AlertProperties

    private enum CodingKeys: String, CodingKey {
        case id
        case type
        case geometry
        case properties
    }

    init(_ entry: FeedMessage, base: String) {
        let site = entry.message.site
        self.id = "\(base)/alerts/\(entry.message.identifier)"
        if let latitude = site.latitude, let longitude = site.longitude {
            self.geometry = PointGeometry(coordinates: [longitude, latitude])
        } else {
            self.geometry = nil
        }
        self.properties = AlertProperties(entry, base: base)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.id, forKey: .id)
        try container.encode(self.type, forKey: .type)
        // RFC 7946, section 3.2: a feature without a place has `"geometry": null`.
        try container.encode(self.geometry, forKey: .geometry)
        try container.encode(self.properties, forKey: .properties)
    }
}

private struct PointGeometry: Encodable {
    let type = "Point"
    let coordinates: [Double]

    private enum CodingKeys: String, CodingKey {
        case type
        case coordinates
    }
}

private struct ReferenceProperties: Encodable {
    let address: String
    let identifier: String
    let sender: String
    let sent: String

    private enum CodingKeys: String, CodingKey {
        case address = "@id"
        case identifier
        case sender
        case sent
    }

    init(_ reference: MessageReference, base: String) {
        self.address = "\(base)/alerts/\(reference.identifier)"
        self.identifier = reference.identifier
        self.sender = reference.sender
        self.sent = reference.sent.rfc3339()
    }
}

private struct Translation: Encodable {
    let areaDesc: String
    let event: String
    let headline: String
    let description: String
    let instruction: String
}

private struct AlertProperties: Encodable {
    private var members: [String: any Encodable & Sendable] = [:]

    init(_ entry: FeedMessage, base: String) {
        let message = entry.message
        let site = message.site
        self.members = [
            "@id": "\(base)/alerts/\(message.identifier)", "@type": "wx:Alert", "id": message.identifier,
            "areaDesc": site.title.zh, "affectedZones": [String](),
            "geocode": site.adminCode.isEmpty ? [String: [String]]() : ["GB/T2260": [site.adminCode]],
            "references": message.references.map { ReferenceProperties($0, base: base) },
            "sent": message.sent.rfc3339(), "effective": message.sent.rfc3339(),
            "onset": message.onset.rfc3339(), "expires": message.expires.rfc3339(),
            "status": message.status.rawValue, "messageType": message.messageType, "category": message.category,
            "severity": message.severity, "certainty": message.certainty, "urgency": message.urgency,
            "event": message.hazard.eventName.zh, "sender": message.sender, "senderName": message.senderName,
            "headline": message.headline.zh, "description": message.details.zh,
            "instruction": message.instruction.zh, "response": message.responseType, "scope": message.scope,
            "restriction": message.restriction, "language": "zh-CN",
            "parameters": Dictionary(message.parameters.map { ($0.name, [$0.value]) }) { $0 + $1 },
            "eventCode": ["poyang:hazard": [message.hazard.rawValue]],
            "translations": [
                "en-US": Translation(
                    areaDesc: site.title.en,
                    event: message.hazard.eventName.en,
                    headline: message.headline.en,
                    description: message.details.en,
                    instruction: message.instruction.en
                )
            ],
            "number": message.number, "action": message.action.rawValue, "hazard": message.hazard.rawValue,
            "level": message.level.rawValue, "org": message.org, "site": site.id, "basin": site.basin,
            "eventTime": message.eventTime.rfc3339(), "evidence": message.evidence.names, "held": message.isHeld,
        ]
        if !message.note.isEmpty { self.members["note"] = message.note }
        if message.isOver { self.members["ends"] = (message.endedAt ?? message.eventTime).rfc3339() }
        let tests = message.evidence.failedTests.map(\.description)
        if !tests.isEmpty { self.members["failedTests"] = tests }
        if let level = message.previousLevel { self.members["previousLevel"] = level.rawValue }
        if let value = message.value, value.isFinite { self.members["value"] = value }
        if let threshold = message.threshold, threshold.isFinite { self.members["threshold"] = threshold }
        if !message.unit.isEmpty { self.members["unit"] = message.unit }
        if let last = message.lastReadingAt { self.members["lastReadingAt"] = last.rfc3339() }
        if let channels = message.silentChannels {
            self.members["silentChannels"] = channels.map { channel in
                [
                    "site": channel.site, "device": channel.device, "metric": channel.metric, "alert": channel.alert,
                    "since": channel.since.rfc3339(),
                ]
            }
        }
        if let next = entry.replacedBy {
            self.members["replacedBy"] = "\(base)/alerts/\(next.identifier)"
            self.members["replacedAt"] = next.sent.rfc3339()
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for (name, value) in self.members { try container.encode(value, forKey: Key(stringValue: name)) }
    }
}
