// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Telemetry

/// What a message has to say, before it is put into words.
struct MessageSubject {
    /// Why a message is sent although the level stays.
    enum Amendment {
        case held
        case resumed
        /// One more thing of the same level, where each is to be seen to: another silent device.
        case joined
        /// Readings that came late put right what was said.
        case corrected
        /// Nothing changed but the time: the message before is about to expire.
        case extended
    }

    var action: WarningAction
    var amendment: Amendment?
    var status: WarningStatus
    var hazard: Hazard
    var level: WarningLevel
    var previousLevel: WarningLevel?
    var facts: SiteFacts
    var datum: Datum?
    var eventTime: Timestamp
    var value: Double?
    /// When ``value`` was so.
    var valueAt: Timestamp?
    var threshold: Double?
    /// The site's own entry for that value.
    var siteThreshold: Threshold?
    var unit: String
    var evidence: Evidence
    var isHeld: Bool
    var lastReadingAt: Timestamp?
    var reason: String?
    var annotations: [String: String]
    /// What readings that came late put right, the highest level first.
    var corrections: [Correction]
    /// Whether the warning had ended before.
    var isPast = false
    /// Who acknowledged or withdrew it, and what they said.
    var who = ""
    var remark = ""
}

/// The three texts of a message in both languages.
struct MessageTexts {
    let headline: LocalizedName
    let details: LocalizedName
    let instruction: LocalizedName
}

extension MessageTexts {
    init(_ subject: MessageSubject) {
        let fact = subject.isWithdrawn ? MessageSubject.neverHeld : subject.fact
        self.init(headline: subject.headline(fact), details: subject.details(fact), instruction: subject.instruction)
    }
}

extension MessageSubject {
    /// As `洪水蓝色预警`, `洪水提示`, `累计雨量蓝色告警`.
    var warningName: LocalizedName {
        let event = self.hazard.eventName
        let isAlarm = event.zh.hasSuffix("告警")
        let stem = isAlarm ? String(event.zh.dropLast(2)) : event.zh
        let stemEnglish = event.en.hasSuffix(" warning") ? String(event.en.dropLast(8)) : event.en
        if self.level == .notice {
            return LocalizedName(
                zh: isAlarm ? event.zh : stem + "提示",
                en: isAlarm ? event.en : "\(event.en) notice"
            )
        }
        return LocalizedName(
            zh: stem + self.level.chinese + (isAlarm ? "告警" : "预警"),
            en: "\(stemEnglish) warning, \(self.level.rawValue)"
        )
    }

    /// What is so, in half a sentence; empty where nothing is known.
    fileprivate var fact: LocalizedName {
        if self.reason == "threshold_withdrawn" {
            return LocalizedName(zh: "阈值已失效", en: "the threshold is no longer in force")
        }
        if self.reason == "rule_removed" {
            return LocalizedName(
                zh: "规则已撤销，危险是否消除未知",
                en: "its rule was withdrawn; whether the danger is over is not known"
            )
        }
        if self.reason == "season_over" {
            return LocalizedName(zh: "适用时段已结束", en: "the season of the rule is over")
        }
        let quantity = HazardQuantity(self.hazard)
        let summary = LocalizedName(
            zh: self.annotations["summary_zh"] ?? self.annotations["summary"] ?? "",
            en: self.annotations["summary_en"] ?? self.annotations["summary"] ?? ""
        )
        if self.hazard == .silence, self.action == .ended { return LocalizedName(zh: "数据恢复", en: "data are back") }
        if quantity.danger == .spoken { return self.action == .ended ? LocalizedName(zh: "", en: "") : summary }
        let isOwnHazard = quantity.danger == .either
        let isSpoken = self.action != .ended || self.hazard == .system
        if isOwnHazard, !summary.zh.isEmpty, isSpoken { return summary }
        let compared = comparison(
            value: self.value,
            threshold: self.threshold,
            wording: ThresholdWording(self.siteThreshold),
            unit: self.unit,
            quantity: quantity
        )
        return compared ?? (self.action == .ended ? LocalizedName(zh: "", en: "") : summary)
    }

    fileprivate func headline(_ fact: LocalizedName) -> LocalizedName {
        let drill = self.status == .exercise
        let change = self.change
        var zh = (drill ? "[演练] " : "") + self.facts.title.zh + self.warningName.zh + change.zh
        var en = (drill ? "[Exercise] " : "") + self.facts.title.en + ": " + self.warningName.en + change.en
        let said = self.headlineFact(fact)
        if !said.zh.isEmpty { zh += "：" + said.zh }
        if !said.en.isEmpty { en += ": " + said.en }
        // What the value rests on belongs to the first thing that people read.
        if self.evidence.contains(.interpolated) {
            zh += "（插补值）"
            en += " (interpolated)"
        }
        if self.evidence.contains(.suspect) {
            zh += "（未核实）"
            en += " (unconfirmed)"
        }
        return LocalizedName(zh: bounded(zh), en: bounded(en))
    }

    private var change: LocalizedName {
        let from = self.previousLevel ?? self.level
        switch self.action {
        case .issued: return LocalizedName(zh: "", en: "")
        case .raised: return LocalizedName(zh: "（由\(from.chinese)升级）", en: ", raised from \(from.rawValue)")
        case .lowered: return LocalizedName(zh: "（由\(from.chinese)降级）", en: ", lowered from \(from.rawValue)")
        case .ended: return LocalizedName(zh: "解除", en: ", ended")
        case .cancelled: return LocalizedName(zh: "撤销", en: ", withdrawn")
        case .acknowledged: return LocalizedName(zh: "已确认", en: ", acknowledged")
        case .amended:
            return switch self.amendment {
            case .extended: LocalizedName(zh: "持续", en: ", still in force")
            case .joined: LocalizedName(zh: "（新增）", en: ", one more")
            case .corrected: LocalizedName(zh: "更正", en: ", corrected")
            case .held, .resumed, nil: LocalizedName(zh: "维持", en: ", kept")
            }
        }
    }

    private func headlineFact(_ fact: LocalizedName) -> LocalizedName {
        switch self.action {
        case .acknowledged: LocalizedName(zh: self.who, en: self.who)
        case .cancelled where self.isWithdrawn: fact
        case .cancelled: LocalizedName(zh: self.remark, en: self.remark)
        case .amended where self.amendment == .corrected: self.correctionFact
        case .amended where self.amendment == .resumed:
            LocalizedName(zh: join("数据恢复", fact.zh, by: "，"), en: join("data are back", fact.en, by: ", "))
        case .ended: fact
        case .issued, .raised, .lowered, .amended:
            self.isHeld ? self.interruption : fact
        }
    }

    /// Whether late readings show that what ends here never was.
    fileprivate var isWithdrawn: Bool {
        (self.action == .ended || self.action == .cancelled) && self.corrections.contains { $0.change == .retracted }
    }

    fileprivate static var neverHeld: LocalizedName {
        LocalizedName(zh: "迟到的数据表明未达到阈值", en: "late readings show that it never held")
    }

    /// As `峰值 19.42 m（2026-07-01 03:10），非 19.20 m`: of the highest level that was another than said, and of each that
    /// never was.
    private var correctionFact: LocalizedName {
        var zh: [String] = []
        var en: [String] = []
        func say(_ chinese: String, _ english: String) {
            zh.append(chinese)
            en.append(english)
        }
        let amended = self.corrections.first { $0.change == .amended && $0.isNews }
        if let amended, let peak = amended.peak, let said = amended.before.peak {
            let (value, before) = (quantity(peak.value, unit: self.unit), quantity(said.value, unit: self.unit))
            let time = localMinute(peak.at)
            if amended.isPeakCorrected {
                say("峰值 \(value)（\(time)），非 \(before)", "peak \(value) at \(time), not \(before)")
            } else if amended.isPeakMoved {
                let saidTime = localMinute(said.at)
                say("峰值 \(value) 出现于 \(time)，非 \(saidTime)", "peak \(value) at \(time), not at \(saidTime)")
            }
        }
        if let amended, amended.isBeginningCorrected, let said = amended.before.firedAt {
            let time = localMinute(amended.since)
            say("始于 \(time)，非 \(localMinute(said))", "since \(time), not \(localMinute(said))")
        }
        if let amended, amended.isEndCorrected, let said = amended.before.endedAt, let end = amended.before.until {
            let time = localMinute(end)
            say("止于 \(time)，非 \(localMinute(said))", "until \(time), not \(localMinute(said))")
        }
        for level in Set(self.corrections.filter { $0.change == .retracted }.map(\.level)).sorted().reversed() {
            say("未达到\(level.chinese)级别", "\(level.rawValue) was not reached")
        }
        return LocalizedName(zh: zh.joined(separator: "；"), en: en.joined(separator: "; "))
    }

    /// As `数据中断，最后读数 19.07 m（2022-06-21 16:00）`.
    private var interruption: LocalizedName {
        if self.reason == "maybe" { return LocalizedName(zh: "数据不全，暂时无法判断", en: "incomplete data, undecided") }
        if let reason = self.reason, reason != "no_data" {
            return LocalizedName(zh: "规则无法计算，状态未知", en: "the rule cannot be evaluated, its state is unknown")
        }
        guard let value = self.value, HazardQuantity(self.hazard).isReading else {
            let since = self.lastReadingAt.map(localMinute)
            return LocalizedName(
                zh: since.map { "数据中断，最后读数时间 \($0)" } ?? "数据中断",
                en: since.map { "no data since \($0)" } ?? "no data"
            )
        }
        let time = (self.valueAt ?? self.lastReadingAt).map { localMinute($0) }
        let number = quantity(value, unit: self.unit)
        return LocalizedName(
            zh: "数据中断，最后读数 \(number)" + (time.map { "（\($0)）" } ?? ""),
            en: "no data; last value \(number)" + (time.map { " (\($0))" } ?? "")
        )
    }

    fileprivate func details(_ fact: LocalizedName) -> LocalizedName {
        var zh: [String] = []
        var en: [String] = []
        func say(_ chinese: String, _ english: String) {
            zh.append(chinese)
            en.append(english)
        }
        if self.status == .exercise { say("演练信息，非真实预警。", "This is an exercise, not a real warning.") }
        let time = localMinute(self.eventTime)
        if self.isHeld {
            let interruption = self.interruption
            say(
                "\(time)，\(self.facts.title.zh)：\(interruption.zh)。预警维持，不因此降级或解除。",
                "\(time), \(self.facts.title.en): \(interruption.en). The warning stays; this neither lowers nor ends it."
            )
        } else if !fact.zh.isEmpty {
            say(
                closed("\(time)，\(self.facts.title.zh)：\(fact.zh)", by: "。"),
                fact.en.isEmpty ? "" : closed("\(time), \(self.facts.title.en): \(fact.en)", by: ".")
            )
        }
        if self.amendment == .corrected {
            let correction = self.correctionFact
            say(closed("更正：\(correction.zh)", by: "。"), closed("Corrected: \(correction.en)", by: "."))
        }
        if !self.corrections.isEmpty { say("依据迟到的数据。", "From readings that came late.") }
        if self.action == .acknowledged || self.action == .cancelled && self.corrections.isEmpty { self.sayWho(say) }
        self.sayThreshold(say)
        if self.evidence.contains(.interpolated) {
            say("依据插补值，非实测。", "Based on an interpolated value, not a measured one.")
        }
        if self.evidence.contains(.suspect) {
            let tests = self.evidence.failedTests.map(\.title)
            let zh = tests.isEmpty ? "" : "（" + tests.map(\.zh).joined(separator: "、") + "）"
            let en = tests.isEmpty ? "" : " (" + tests.map(\.en).joined(separator: ", ") + ")"
            say("读数未通过合理性检验\(zh)，未核实。", "The reading failed a plausibility test\(en) and is unconfirmed.")
        }
        if self.evidence.contains(.gapTotal) { say("含缺报时段的累计量。", "Includes a total over a gap in the reports.") }
        if let description = self.annotations["description_zh"], self.isFresh {
            say(closed(description, by: "。"), closed(self.annotations["description_en"] ?? "", by: "."))
        }
        return LocalizedName(zh: zh.joined(), en: en.filter { !$0.isEmpty }.joined(separator: " "))
    }

    /// Whether what the rule describes is news in this step.
    private var isFresh: Bool {
        !self.isHeld && [.issued, .raised, .lowered].contains(self.action)
    }

    private func sayWho(_ say: (String, String) -> Void) {
        let acknowledged = self.action == .acknowledged
        let remark = self.remark.isEmpty ? "" : "：\(self.remark)"
        let remarkEnglish = self.remark.isEmpty ? "" : ": \(self.remark)"
        say(
            closed("\(self.who)\(acknowledged ? "已确认" : "撤销")\(remark)", by: "。"),
            closed("\(acknowledged ? "Acknowledged" : "Withdrawn") by \(self.who)\(remarkEnglish)", by: ".")
        )
    }

    private func sayThreshold(_ say: (String, String) -> Void) {
        // What only the summary can say, and of silence, has its threshold there.
        guard let threshold = self.threshold, HazardQuantity(self.hazard).danger != .spoken, self.hazard != .silence
        else { return }
        let wording = ThresholdWording(self.siteThreshold)
        let limit = quantity(threshold, unit: self.unit)
        let authority = self.siteThreshold?.knownAuthority ?? ""
        let name = wording.name ?? "阈值"
        let nameEnglish = wording.englishName.dropFirst(4)
        if authority.isEmpty {
            say("\(name) \(limit)。", "The \(nameEnglish) is \(limit).")
        } else {
            say("\(name) \(limit)，依据：\(authority)。", "The \(nameEnglish) is \(limit) (\(authority)).")
        }
        let confidence = self.siteThreshold?.confidence
        switch confidence?.prefix(while: { $0 != "," }) {
        case "inferred": say("该阈值由已发布预警推断，待核实。", "This threshold is inferred from published warnings, to be confirmed.")
        case "memory": say("该阈值待核实。", "This threshold is still to be confirmed.")
        case "demo": say("该阈值仅供演示。", "This threshold is for demonstration only.")
        default: break
        }
        guard self.unit == "m", let datum = self.datum else { return }
        let names = [
            "wusong": "吴淞", "wusong_or_frozen": "吴淞或冻结", "frozen": "冻结", "1985": "1985国家高程", "local": "测站自有零点",
        ]
        say("水位基准：\(names[datum.name] ?? datum.name)。", "Vertical datum: \(datum.name).")
    }

    fileprivate var instruction: LocalizedName {
        let given = LocalizedName(
            zh: self.annotations["instruction_zh"] ?? "",
            en: self.annotations["instruction_en"] ?? ""
        )
        if self.action == .ended, self.reason != nil {
            return LocalizedName(
                zh: "请自行核实现状，并继续关注后续信息。",
                en: "Verify on site, and keep following further messages."
            )
        }
        if self.action == .ended || self.action == .cancelled || self.isPast {
            return LocalizedName(zh: "请继续关注后续信息。", en: "Keep following further messages.")
        }
        if self.isHeld {
            return LocalizedName(
                zh: "请派人现场核实，并检查设备与通信。",
                en: "Check on site; inspect the device and its connection."
            )
        }
        if !given.zh.isEmpty, !given.en.isEmpty { return given }
        switch self.hazard {
        case .silence, .system:
            return LocalizedName(zh: "请检查设备与通信。", en: "Inspect the device and its connection.")
        case .dissolvedOxygen:
            return LocalizedName(zh: "请检查并开启增氧设备，暂停投喂。", en: "Check and run aeration; stop feeding.")
        default:
            return self.level >= .yellow
                ? LocalizedName(zh: "请现场核实，按预案做好准备。", en: "Check on site and prepare according to plan.")
                : LocalizedName(zh: "请关注变化，注意核实。", en: "Watch how it develops and verify on site.")
        }
    }
}

/// CAP recommends at most 160 characters for a headline.
private func bounded(_ text: String) -> String {
    text.count <= 160 ? text : text.prefix(159) + "…"
}

private func join(_ first: String, _ second: String, by separator: String) -> String {
    second.isEmpty ? first : first + separator + second
}

private func closed(_ sentence: String, by mark: String) -> String {
    guard let last = sentence.last else { return "" }
    return "。.！!？?".contains(last) ? sentence : sentence + mark
}
