// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Everything that one message says, in one value from which every format is written.
package struct WarningMessage: Hashable, Sendable, Codable {
    /// Unique; holds no dot, comma, space, `<` or `&`.
    package var identifier: String
    /// The warning's number.
    package var number: String
    package var action: WarningAction
    package var status: WarningStatus
    package var hazard: Hazard
    /// The level now; of an end the level that ended.
    package var level: WarningLevel
    /// `nil` in the first message.
    package var previousLevel: WarningLevel?
    package var org: String
    package var site: SiteFacts
    /// When it was so in the field.
    package var eventTime: Timestamp
    /// When the warning began in the field.
    package var onset: Timestamp
    /// Whole seconds.
    package var sent: Timestamp
    package var expires: Timestamp
    package var value: Double?
    package var threshold: Double?
    /// As people write it: `m`, `mm`; empty without a value.
    package var unit: String
    /// Who set the threshold; empty where that is not known.
    package var thresholdAuthority: String
    package var evidence: Evidence
    /// Whether the data behind the level have stopped.
    package var isHeld: Bool
    package var lastReadingAt: Timestamp?
    package var sender: String
    package var senderName: String
    package var note: String
    package var restriction: String
    package var headline: LocalizedName
    package var details: LocalizedName
    package var instruction: LocalizedName
    /// All earlier messages of the same warning, oldest first.
    package var references: [MessageReference]
    /// Of a list of silent channels: all of them.
    package var silentChannels: [SilentChannel]?
    /// When the warning had ended of which this is said afterwards; nil where it lasts, or ends with this message.
    package var endedAt: Timestamp?
    /// Why it ends, where no reading is the reason: `rule_removed`, `threshold_withdrawn`, `season_over`.
    package var reason: String?
}

/// How CAP names an earlier message.
package struct MessageReference: Hashable, Sendable, Codable {
    package var sender: String
    package var identifier: String
    package var sent: Timestamp

    /// As `sender,identifier,sent`.
    package var text: String { "\(self.sender),\(self.identifier),\(self.sent.rfc3339())" }
}

/// What a message says of its site, as it was when the message was sent.
package struct SiteFacts: Hashable, Sendable, Codable {
    /// Empty for what belongs to no site.
    package var id: String
    package var name: LocalizedName
    package var kind: SiteKind?
    package var basin: String
    package var county: String
    /// Of the county, GB/T 2260; empty where not known.
    package var adminCode: String
    /// Degrees, WGS-84.
    package var latitude: Double?
    package var longitude: Double?

    /// The facts of a registered site, or what is left of them where none is registered under this id.
    package init(id: String, site: Site?) {
        self.id = id
        self.name = site?.name ?? (id.isEmpty ? LocalizedName(zh: "全平台", en: "Whole platform") : .init(zh: id, en: id))
        self.kind = site?.kind
        self.basin = site?.basin ?? ""
        self.county = site?.county ?? ""
        self.adminCode = String(site?.adminCode.prefix(6) ?? "")
        self.latitude = site?.position?.latitude
        self.longitude = site?.position?.longitude
    }

    /// As people call it: `星子站`; a name that already says what it is stays as it is.
    package var title: LocalizedName {
        let endings: [Character] = ["站", "库", "塘", "池", "田", "闸", "湖", "区", "圩", "）", ")"]
        let isStation = self.kind == .river || self.kind == .lake || self.kind == .rain
        let needsEnding = isStation && !(self.name.zh.last.map(endings.contains) ?? true)
        return LocalizedName(zh: needsEnding ? self.name.zh + "站" : self.name.zh, en: self.name.en)
    }
}

extension WarningMessage {
    /// The `msgType` of CAP.
    ///
    /// Ending is an Update; Cancel only withdraws.
    package var messageType: String {
        switch self.action {
        case .issued: "Alert"
        case .cancelled: "Cancel"
        case .raised, .lowered, .amended, .acknowledged, .ended: "Update"
        }
    }

    package var scope: String { "Restricted" }

    package var category: String {
        switch self.hazard {
        case .flood, .floodRise, .floodProjection, .rain, .lowWater, .lowWaterSeason, .soilDrought, .reservoir, .polder,
            .polderLarge, .rice:
            "Met"
        case .dissolvedOxygen, .dissolvedOxygenProjection, .fisheryWater, .waterQuality, .irrigationWater: "Env"
        case .silence, .system, .deviceHealth: "Infra"
        default: "Other"
        }
    }

    package var severity: String {
        switch self.level {
        case .notice: "Unknown"
        case .blue: "Minor"
        case .yellow: "Moderate"
        case .orange: "Severe"
        case .red: "Extreme"
        }
    }

    /// A list of silent channels was kept until people are at work, and needs no call.
    package var urgency: String {
        if self.isOver { return self.reason == nil ? "Past" : "Unknown" }
        return self.silentChannels == nil ? "Immediate" : "Expected"
    }
    package var certainty: String { "Observed" }

    package var responseType: String {
        // That nobody looks any more does not say that the danger is over.
        if self.isOver { return self.reason == nil ? "AllClear" : "Monitor" }
        return self.level >= .yellow ? "Prepare" : "Monitor"
    }

    /// Whether the warning is over with this message, or was before.
    package var isOver: Bool { self.action == .ended || self.action == .cancelled || self.endedAt != nil }

    /// Where MQTT keeps the warning's newest message; nothing is kept there after its end.
    ///
    /// A level of the topic that would be empty is `_`; characters with a meaning in topics become `_`.
    package var topic: String {
        let branch = self.status == .actual ? "warnings" : "exercises"
        let levels = [self.org, self.site.id, self.hazard.rawValue]
            .map { text in
                let safe = text.map { "/+#\0".contains($0) ? "_" : $0 }
                return safe.isEmpty ? "_" : String(safe)
            }
        return "poyang/v1/\(branch)/\(levels.joined(separator: "/"))"
    }

    package var reference: MessageReference {
        MessageReference(sender: self.sender, identifier: self.identifier, sent: self.sent)
    }
}
