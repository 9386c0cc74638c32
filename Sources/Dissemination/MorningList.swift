// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
package import Telemetry

/// When the list of silent channels is due: once a day, at a time of +08:00.
package struct MorningList: Hashable, Sendable {
    /// Minutes after midnight.
    package var minute: Int

    package init(minute: Int = 8 * 60) { self.minute = minute }

    /// The newest moment at which a list was due, up to and including `moment`.
    package func newest(through moment: Timestamp) -> Timestamp {
        let shift = Milliseconds(self.minute - Timestamp.chinaOffsetMinutes) * .minute
        let rest = (moment.milliseconds - shift) % .day
        return moment - (rest < 0 ? rest + .day : rest)
    }
}

/// One line of the list: a channel that says nothing, or always the same.
package struct SilentChannel: Hashable, Sendable, Codable {
    package var site: String
    package var device: String
    package var metric: String
    /// The name of the rule, which says in which way it is silent.
    package var alert: String
    /// Since when the rule holds; event time.
    package var since: Timestamp

    init(_ cause: WarningCause) {
        self.site = cause.labels.site
        self.device = cause.labels.value(of: "device") ?? ""
        self.metric = cause.labels.value(of: "metric") ?? ""
        self.alert = cause.alertName
        self.since = cause.since
    }
}

extension WarningBook {
    /// So many channels stand in the text of a list; the message holds all of them as data.
    private static let linesOfText = 50

    /// Tells each org of its channels that are silent, in one message; who has none is told nothing.
    ///
    /// Each list is a warning with a number of its own, which lasts until the next one and ends without a message.
    package mutating func listSilence(at moment: Timestamp, context: StepContext) -> [WarningStep] {
        var steps = self.active.filter(\.isList).map { self.closeList($0, at: moment, context: context) }
        var causes: [WarningIdentity: [WarningCause]] = [:]
        for warning in self.active where warning.identity.hazard == .silence && !warning.identity.site.isEmpty {
            var identity = warning.identity
            identity.site = ""
            causes[identity, default: []] += warning.causes
        }
        for identity in causes.keys.sorted(by: { ($0.org, $0.status.rawValue) < ($1.org, $1.status.rawValue) }) {
            guard let found = causes[identity] else { continue }
            steps.append(self.issueList(identity, Self.byChannel(found), at: moment, context: context))
        }
        return steps
    }

    /// One cause for each channel, that which could not wait before others, in the order of sites and devices.
    private static func byChannel(_ causes: [WarningCause]) -> [WarningCause] {
        var found: [Labels: WarningCause] = [:]
        for cause in causes {
            if let known = found[cause.channel], known.isUrgent || !cause.isUrgent { continue }
            found[cause.channel] = cause
        }
        return found.values.sorted { left, right in
            (left.labels.site, left.channel, left.rule) < (right.labels.site, right.channel, right.rule)
        }
    }

    func listTexts(_ causes: [WarningCause], of facts: SiteFacts, status: WarningStatus, at moment: Timestamp)
        -> MessageTexts
    {
        let drill = status == .exercise
        let sites = Set(causes.map(\.labels.site)).count
        let time = localMinute(moment)
        var zh = (drill ? ["演练信息，非真实预警。"] : []) + ["截至 \(time) 没有正常上报的通道，其状态未知，不代表安全："]
        var en =
            (drill ? ["This is an exercise, not a real warning."] : [])
            + ["Channels that did not report properly at \(time); nobody knows how things are there:"]
        for (index, cause) in causes.prefix(Self.linesOfText).enumerated() {
            let title = self.title(ofSite: cause.labels.site)
            let text = cause.listed
            let since = localMinute(cause.since)
            zh.append("\(index + 1). \(title.zh)：\(text.zh)（自 \(since)）")
            en.append("\(index + 1). \(title.en): \(text.en) (since \(since))")
        }
        if causes.count > Self.linesOfText {
            zh.append("另有 \(causes.count - Self.linesOfText) 个通道。")
            en.append("And \(causes.count - Self.linesOfText) more.")
        }
        return MessageTexts(
            headline: LocalizedName(
                zh: "\(drill ? "[演练] " : "")\(facts.title.zh)设备失联清单：\(causes.count) 个通道，\(sites) 个站点",
                en: "\(drill ? "[Exercise] " : "")\(facts.title.en): silent devices, "
                    + "\(causes.count) \(causes.count == 1 ? "channel" : "channels") at "
                    + "\(sites) \(sites == 1 ? "site" : "sites")"
            ),
            details: LocalizedName(zh: zh.joined(separator: "\n"), en: en.joined(separator: "\n")),
            instruction: LocalizedName(
                zh: "请安排检查设备与通信。",
                en: "Have the devices and their connections inspected."
            )
        )
    }
}

extension WarningCause {
    /// Whether its silence cannot wait for the list: the rule says so, or it was called already.
    var isUrgent: Bool { self.labels.value(of: "urgent") == "true" }

    /// What it is about, whatever rule speaks of it.
    var channel: Labels {
        let names = self.labels.map(\.name).filter { ["site", "device", "metric"].contains($0) }
        return names.contains("device") ? self.labels.keeping(names) : self.labels.removing(["urgent", "level"])
    }

    /// As `设备 xingzi-1 的 water_level_meters 停止上报`.
    fileprivate var listed: LocalizedName {
        let device = [self.labels.value(of: "device"), self.labels.value(of: "metric")].compactMap { $0 }
            .joined(separator: " ")
        let plain = device.isEmpty ? self.alertName : "\(device) \(self.alertName)"
        let zh = self.annotations["summary_zh"] ?? self.annotations["summary"] ?? plain
        return LocalizedName(zh: zh, en: self.annotations["summary_en"] ?? self.annotations["summary"] ?? plain)
    }
}

extension Warning {
    /// Takes those causes that cannot wait, or `all`, out of those that wait for the list.
    ///
    /// - Returns: Whether there was one.
    mutating func stopWaiting(all: Bool) -> Bool {
        let urgent = Set(self.causes.filter(\.isUrgent).map(\.channel))
        var isAny = false
        for index in self.causes.indices where self.causes[index].isWaiting {
            guard all || urgent.contains(self.causes[index].channel) else { continue }
            self.causes[index].isWaitingForList = nil
            isAny = true
        }
        return isAny
    }
}

extension Hazard {
    /// Whether people who are warned of it must know at once when its site falls silent.
    var makesSilenceUrgent: Bool {
        self != .silence && self != .system && self != .deviceHealth && !self.isStatusOnly
    }
}
