// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Telemetry
internal import XMLCoder

/// One message as CAP 1.2 (`urn:oasis:names:tc:emergency:cap:1.2`).
///
/// The schema is a sequence: the members below stand in its order, and are written in theirs.
struct CAPAlert: Encodable {
    @Attribute var xmlns: String
    let identifier: String
    let sender: String
    let sent: String
    let status: String
    let msgType: String
    let scope: String
    let restriction: String?
    let note: String?
    let references: String?
    let info: [CAPInfo]
}

struct CAPInfo: Encodable {
    let language: String
    let category: String
    let event: String
    let responseType: String
    let urgency: String
    let severity: String
    let certainty: String
    let eventCode: [CAPValue]
    let effective: String
    let onset: String
    let expires: String
    let senderName: String?
    let headline: String
    let description: String
    let instruction: String?
    let parameter: [CAPValue]
    let area: CAPArea
}

/// CAP's pair of a name and a value, of event codes, parameters and geocodes.
struct CAPValue: Codable, Hashable {
    let valueName: String
    let value: String
}

struct CAPArea: Encodable {
    let areaDesc: String
    /// As `lat,lon km`.
    let circle: String?
    let geocode: [CAPValue]
}

extension WarningMessage {
    /// The message as a CAP 1.2 document in UTF-8, with one `info` in zh-CN and one in en-US.
    ///
    /// Characters that XML 1.0 cannot hold are left out.
    package func capXML() throws -> String {
        let alert = CAPAlert(
            xmlns: Attribute("urn:oasis:names:tc:emergency:cap:1.2"),
            identifier: xmlSafe(self.identifier),
            sender: xmlSafe(self.sender),
            sent: self.sent.rfc3339(),
            status: self.status.rawValue,
            msgType: self.messageType,
            scope: self.scope,
            restriction: present(self.restriction),
            note: present(self.note),
            references: present(self.references.map(\.text).joined(separator: " ")),
            info: [self.capInfo("zh-CN", \.zh), self.capInfo("en-US", \.en)]
        )
        let encoder = XMLEncoder()
        encoder.outputFormatting = [.prettyPrinted]
        let data = try encoder.encode(
            alert,
            withRootKey: "alert",
            header: XMLHeader(version: 1.0, encoding: "UTF-8")
        )
        return String(decoding: data, as: UTF8.self)
    }

    private func capInfo(_ language: String, _ text: (LocalizedName) -> String) -> CAPInfo {
        CAPInfo(
            language: language,
            category: self.category,
            event: xmlSafe(text(self.hazard.eventName)),
            responseType: self.responseType,
            urgency: self.urgency,
            severity: self.severity,
            certainty: self.certainty,
            eventCode: [CAPValue(valueName: "poyang:hazard", value: xmlSafe(self.hazard.rawValue))],
            effective: self.sent.rfc3339(),
            onset: self.onset.wholeSeconds.rfc3339(),
            expires: self.expires.wholeSeconds.rfc3339(),
            senderName: present(self.senderName),
            headline: xmlSafe(text(self.headline)),
            description: xmlSafe(text(self.details)),
            instruction: present(text(self.instruction)),
            parameter: self.parameters.map { CAPValue(valueName: $0.name, value: xmlSafe($0.value)) },
            area: CAPArea(
                areaDesc: xmlSafe(text(self.site.title)),
                circle: self.site.circle,
                geocode: present(self.site.adminCode).map { [CAPValue(valueName: "GB/T2260", value: $0)] } ?? []
            )
        )
    }

    /// What CAP has no element for, by name.
    var parameters: [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = [
            ("number", self.number), ("action", self.action.rawValue), ("hazard", self.hazard.rawValue),
            ("level", self.level.rawValue),
        ]
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { parameters.append((name, value)) }
        }
        add("colour", self.level == .notice ? nil : self.level.chinese)
        add("previousLevel", self.previousLevel?.rawValue)
        add("site", self.site.id)
        add("org", self.org)
        add("eventTime", self.eventTime.rfc3339())
        add("value", self.value.map { "\($0)" })
        add("threshold", self.threshold.map { "\($0)" })
        add("thresholdAuthority", self.threshold == nil ? nil : self.thresholdAuthority)
        add("unit", self.unit)
        add("evidence", self.evidence.names.joined(separator: " "))
        add("failedTests", self.evidence.failedTests.map(\.description).joined(separator: " "))
        add("held", self.isHeld ? "true" : nil)
        add("reason", self.reason)
        return parameters
    }
}

extension SiteFacts {
    /// Positions are approximate and one gauge speaks for its reach: five kilometres.
    static let radiusKilometers = 5.0

    /// CAP's `lat,lon km`.
    var circle: String? {
        guard let latitude = self.latitude, let longitude = self.longitude else { return nil }
        return "\(latitude),\(longitude) \(SiteFacts.radiusKilometers)"
    }
}

extension Evidence {
    /// The names on the wire: `interpolated`, `manual`, `gap_total`, `suspect`, `simulated`.
    package var names: [String] {
        let all: [(Evidence, String)] = [
            (.interpolated, "interpolated"), (.manual, "manual"), (.gapTotal, "gap_total"), (.suspect, "suspect"),
            (.simulated, "simulated"),
        ]
        return all.filter { self.contains($0.0) }.map(\.1)
    }
}

/// Without the characters that XML 1.0 (section 2.2, `Char`) cannot hold.
func xmlSafe(_ text: String) -> String {
    let isAllowed = { (scalar: Unicode.Scalar) in
        switch scalar.value {
        case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
    guard !text.unicodeScalars.allSatisfy(isAllowed) else { return text }
    var safe = String.UnicodeScalarView()
    safe.append(contentsOf: text.unicodeScalars.filter(isAllowed))
    return String(safe)
}

private func present(_ text: String) -> String? {
    text.isEmpty ? nil : xmlSafe(text)
}
