// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry
internal import XMLCoder

private struct AtomDocument: Encodable {
    @Attribute var xmlns: String
    @Attribute var cap: String
    let id: String
    let title: String
    let updated: String
    let author: AtomAuthor
    let link: [AtomLink]
    let entry: [AtomEntry]

    private enum CodingKeys: String, CodingKey {
        case xmlns
        case cap = "xmlns:cap"
        case id
        case title
        case updated
        case author
        case link
        case entry
    }
}

private struct AtomAuthor: Encodable {
    let name: String
}

private struct AtomLink: Encodable {
    @Attribute var rel: String
    @Attribute var type: String
    @Attribute var href: String

    init(_ rel: String, type: String, href: String) {
        self._rel = Attribute(rel)
        self._type = Attribute(type)
        self._href = Attribute(href)
    }
}

private struct AtomEntry: Encodable {
    let id: String
    let title: String
    let updated: String
    let published: String
    let author: AtomAuthor
    let link: [AtomLink]
    let summary: String
    let event: String
    let sent: String
    let effective: String
    let onset: String
    let expires: String
    let status: String
    let msgType: String
    let category: String
    let scope: String
    let urgency: String
    let severity: String
    let certainty: String
    let areaDesc: String
    let geocode: [CAPValue]
    let identifier: String

    private enum CodingKeys: String, CodingKey {
        case id
        case title
        case updated
        case published
        case author
        case link
        case summary
        case event = "cap:event"
        case sent = "cap:sent"
        case effective = "cap:effective"
        case onset = "cap:onset"
        case expires = "cap:expires"
        case status = "cap:status"
        case msgType = "cap:msgType"
        case category = "cap:category"
        case scope = "cap:scope"
        case urgency = "cap:urgency"
        case severity = "cap:severity"
        case certainty = "cap:certainty"
        case areaDesc = "cap:areaDesc"
        case geocode = "cap:geocode"
        case identifier = "cap:identifier"
    }
}

/// An Atom 1.0 index (RFC 4287) whose entries link to CAP messages.
package enum AtomIndex {
    /// The index of `messages`, which stand newest first.
    ///
    /// `updated` is when the feed last changed; `base` stands before `/alerts`, as `http://127.0.0.1:8640`.
    package static func document(
        _ messages: [WarningMessage],
        updated: Timestamp,
        base: String,
        title: String = "预警 Warnings"
    ) throws -> String {
        let feed = AtomDocument(
            xmlns: Attribute("http://www.w3.org/2005/Atom"),
            cap: Attribute("urn:oasis:names:tc:emergency:cap:1.2"),
            id: "\(base)/alerts.atom",
            title: xmlSafe(title),
            updated: updated.wholeSeconds.rfc3339(),
            author: AtomAuthor(name: "poyang"),
            link: [AtomLink("self", type: "application/atom+xml", href: "\(base)/alerts.atom")],
            entry: messages.map { AtomEntry($0, base: base) }
        )
        let encoder = XMLEncoder()
        encoder.outputFormatting = [.prettyPrinted]
        let data = try encoder.encode(
            feed,
            withRootKey: "feed",
            header: XMLHeader(version: 1.0, encoding: "UTF-8")
        )
        return String(decoding: data, as: UTF8.self)
    }
}

extension AtomEntry {
    fileprivate init(_ message: WarningMessage, base: String) {
        let address = "\(base)/alerts/\(message.identifier)"
        self.init(
            id: address,
            title: xmlSafe(message.headline.zh),
            updated: message.sent.rfc3339(),
            published: message.sent.rfc3339(),
            author: AtomAuthor(name: xmlSafe(message.senderName)),
            link: [
                AtomLink("alternate", type: "application/cap+xml", href: address + ".cap"),
                AtomLink("alternate", type: "application/geo+json", href: address),
            ],
            summary: xmlSafe(message.details.zh),
            event: xmlSafe(message.hazard.eventName.zh),
            sent: message.sent.rfc3339(),
            effective: message.sent.rfc3339(),
            onset: message.onset.wholeSeconds.rfc3339(),
            expires: message.expires.wholeSeconds.rfc3339(),
            status: message.status.rawValue,
            msgType: message.messageType,
            category: message.category,
            scope: message.scope,
            urgency: message.urgency,
            severity: message.severity,
            certainty: message.certainty,
            areaDesc: xmlSafe(message.site.title.zh),
            geocode: message.site.adminCode.isEmpty
                ? [] : [CAPValue(valueName: "GB/T2260", value: message.site.adminCode)],
            identifier: message.identifier
        )
    }
}
