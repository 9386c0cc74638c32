// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Telemetry

extension Warning {
    /// More causes that are over are not kept.
    private static let longestPast = 64

    /// Folds one transition in.
    ///
    /// - Returns: Whether it concerned this warning; what ends, stops or comes back without being a cause does not.
    mutating func apply(_ transition: AlertTransition) -> Bool {
        let index = self.causes.firstIndex { $0.rule == transition.rule && $0.labels == transition.labels }
        switch transition.change {
        case .raised:
            if transition.amends != nil { self.takeUpAgain(transition, known: index) }
            if let index {
                self.causes[index].update(transition)
                self.causes[index].isHeld = false
                self.causes[index].level = transition.level
                self.causes[index].threshold = transition.threshold ?? self.causes[index].threshold
            } else {
                self.causes.append(WarningCause(transition))
            }
            return true
        case .ended:
            guard let index else { return false }
            // Silence ends nothing, whoever says so.
            if transition.reason == "no_data" {
                self.causes[index].hold(transition)
            } else {
                self.remember(self.causes.remove(at: index), endedBy: transition)
            }
            return true
        case .held:
            guard let index else { return false }
            self.causes[index].hold(transition)
            return true
        case .resumed:
            guard let index else { return false }
            self.causes[index].update(transition)
            self.causes[index].isHeld = false
            return true
        case .amended, .retracted: return self.correct(by: transition)
        }
    }

    /// Whether readings that came late speak of a firing that is, or was, behind this warning.
    func isConcerned(by transition: AlertTransition) -> Bool {
        self.causes.contains { $0.isMeant(by: transition) }
            || self.past?.contains { $0.isMeant(by: transition) } ?? false
    }

    /// What readings that came late say of the part of a firing that this warning, which is over, was about, where a later
    /// one is about the rest.
    ///
    /// Only whether there was such a part, and since when: its end stays, and the peak may be that of the rest.
    func share(of transition: AlertTransition) -> AlertTransition? {
        guard let said = transition.amends?.firedAt, let part = self.past?.first(where: { $0.isMeant(by: transition) })
        else { return nil }
        var share = transition
        share.change = transition.change == .retracted || transition.activeSince >= part.until ? .retracted : .amended
        share.amends = AlertAmendment(firedAt: said)
        return share
    }

    /// A firing goes on after all: it is not over, and where it fires again since, that is the same firing.
    private mutating func takeUpAgain(_ transition: AlertTransition, known index: Int?) {
        self.past?.removeAll { $0.isMeant(by: transition) }
        if let index { self.causes[index].since = transition.activeSince }
    }

    private mutating func correct(by transition: AlertTransition) -> Bool {
        let isRetracted = transition.change == .retracted
        let (begins, ends) = (self.issuedAt == self.firstCause, !self.isActive && self.updatedAt == self.lastEnd)
        if let index = self.causes.firstIndex(where: { $0.isMeant(by: transition) }) {
            self.causes[index].since = transition.activeSince
            if isRetracted { self.causes.remove(at: index) }
        } else if let index = self.past?.firstIndex(where: { $0.isMeant(by: transition) }) {
            self.past?[index].since = transition.activeSince
            if let until = transition.amends?.until { self.past?[index].until = until }
            if isRetracted { self.past?.remove(at: index) }
        } else {
            return false
        }
        if begins { self.issuedAt = self.firstCause ?? self.issuedAt }
        if ends { self.updatedAt = self.lastEnd ?? self.updatedAt }
        return true
    }

    private var firstCause: Timestamp? { (self.causes.map(\.since) + (self.past ?? []).map(\.since)).min() }

    private var lastEnd: Timestamp? { self.past?.map(\.until).max() }

    private mutating func remember(_ cause: WarningCause, endedBy transition: AlertTransition) {
        let since = transition.amends?.firedAt == nil ? cause.since : transition.activeSince
        let over = PastCause(rule: cause.rule, labels: cause.labels, since: since, until: transition.eventTime)
        self.past = (self.past ?? []) + [over]
        // The first stays, so that a warning of which the rest is withdrawn is not taken for one that never was.
        if let count = self.past?.count, count > Self.longestPast { self.past?.remove(at: 1) }
    }
}

extension PastCause {
    fileprivate func isMeant(by transition: AlertTransition) -> Bool {
        self.rule == transition.rule && self.labels == transition.labels && self.since == transition.saidSince
    }
}

extension AlertTransition {
    /// Since when the alert was said to fire.
    fileprivate var saidSince: Timestamp { self.amends?.firedAt ?? self.activeSince }
}

extension WarningCause {
    fileprivate func isMeant(by transition: AlertTransition) -> Bool {
        self.rule == transition.rule && self.labels == transition.labels && self.since == transition.saidSince
    }

    fileprivate init(_ transition: AlertTransition) {
        self.init(
            rule: transition.rule,
            alertName: transition.alertName,
            labels: transition.labels,
            level: transition.level,
            since: transition.activeSince,
            value: transition.value,
            valueAt: transition.lastReadingAt ?? transition.eventTime,
            lastReadingAt: transition.lastReadingAt,
            threshold: transition.threshold,
            evidence: transition.evidence,
            isHeld: false,
            reason: transition.reason,
            annotations: transition.annotations,
            isWaitingForList: transition.hazard == .silence ? true : nil
        )
    }

    fileprivate mutating func update(_ transition: AlertTransition) {
        if let value = transition.value {
            self.value = value
            self.valueAt = transition.lastReadingAt ?? transition.eventTime
            self.evidence = transition.evidence
        }
        self.lastReadingAt = transition.lastReadingAt ?? self.lastReadingAt
        self.reason = transition.reason
        self.annotations.merge(transition.annotations) { $1 }
    }

    fileprivate mutating func hold(_ transition: AlertTransition) {
        self.isHeld = true
        self.lastReadingAt = transition.lastReadingAt ?? self.lastReadingAt
        self.reason = transition.reason
        guard let value = transition.value else { return }
        self.value = value
        self.valueAt = transition.lastReadingAt ?? self.valueAt
    }
}

/// The value, threshold and evidence that a message gives: those of the cause that leads, or of what ended last.
struct Speaker {
    var level: WarningLevel?
    var value: Double?
    var valueAt: Timestamp?
    var threshold: Double?
    var evidence: Evidence = []
    var lastReadingAt: Timestamp?
    var reason: String?
    var annotations: [String: String] = [:]
    /// What readings that came late put right, the highest level first.
    var corrections: [Correction] = []
    var who = ""
    var remark = ""

    /// Says nothing of any one cause.
    init() {}

    /// - Parameters:
    ///   - transitions: What was just folded in.
    ///   - warning: Afterwards. A value that came with the end of a higher level of the same alert is kept in its leading
    ///     cause, which it also speaks for.
    init(_ transitions: [AlertTransition], warning: inout Warning) {
        self.corrections = transitions.compactMap(Correction.init).sorted { $0.level > $1.level }
        guard let leading = warning.leadingCause else {
            let endings = transitions.filter { $0.change == .ended || $0.change == .retracted }
            guard let last = endings.min(by: { $0.level < $1.level }) else {
                // Of a warning that is over nothing is said but what was wrong.
                let highest = transitions.max { $0.level < $1.level }
                self.level = highest?.level
                self.threshold = highest?.threshold
                self.annotations = highest?.annotations.filter { $0.key == "unit" } ?? [:]
                return
            }
            self.level = last.level
            // What never was has no value.
            self.value = last.change == .retracted ? nil : last.value
            self.valueAt = last.lastReadingAt ?? last.eventTime
            self.threshold = last.threshold
            self.evidence = last.evidence
            self.lastReadingAt = last.lastReadingAt
            self.reason = endings.compactMap(\.reason).first
            self.annotations = last.annotations
            return
        }
        var cause = leading
        let sibling = transitions.last { transition in
            transition.change == .ended && transition.alertName == leading.alertName && transition.value != nil
                && transition.labels.removing("level") == leading.labels.removing("level")
        }
        if let sibling, !leading.isHeld {
            cause.value = sibling.value
            cause.valueAt = sibling.lastReadingAt ?? sibling.eventTime
            cause.evidence = sibling.evidence
            cause.lastReadingAt = sibling.lastReadingAt ?? cause.lastReadingAt
            if let index = warning.causes.firstIndex(of: leading) { warning.causes[index] = cause }
        }
        self.level = cause.level
        self.value = cause.value
        self.valueAt = cause.valueAt
        self.threshold = cause.threshold
        self.evidence = cause.evidence
        self.lastReadingAt = cause.lastReadingAt
        self.annotations = cause.annotations
        self.reason = cause.isHeld ? cause.reason : nil
        // A summary was rendered with the value that raised the cause; beside a newer value it would contradict.
        if sibling != nil { self.annotations = cause.annotations.filter { !$0.key.hasPrefix("summary") } }
    }
}

/// What readings that came late change of what was said.
struct Correction: Hashable {
    let level: WarningLevel
    let change: AlertTransition.Change
    let since: Timestamp
    let peak: AlertPeak?
    /// What was said before; the peak only where the rule's value is one that people are told.
    let before: AlertAmendment

    init?(_ transition: AlertTransition) {
        guard var amends = transition.amends else { return nil }
        if HazardQuantity(transition.hazard).danger == .spoken { amends.peak = nil }
        self.level = transition.level
        self.change = transition.change
        self.since = transition.activeSince
        self.peak = transition.peak
        self.before = amends
    }

    /// Whether the peak is another to somebody who reads it with three decimals.
    var isPeakCorrected: Bool {
        guard let peak, let before = self.before.peak else { return false }
        return abs(peak.value - before.value) >= 0.0005
    }

    /// Whether the same peak was at another minute.
    var isPeakMoved: Bool {
        guard let peak, let before = self.before.peak, !self.isPeakCorrected else { return false }
        return localMinute(peak.at) != localMinute(before.at)
    }

    var isBeginningCorrected: Bool {
        self.before.firedAt.map { localMinute($0) != localMinute(self.since) } ?? false
    }

    var isEndCorrected: Bool {
        guard let said = self.before.endedAt, let end = self.before.until else { return false }
        return localMinute(said) != localMinute(end)
    }

    /// Whether there is anything in it that a message would say.
    var isNews: Bool {
        switch self.change {
        case .retracted: true
        case .amended: self.isPeakCorrected || self.isPeakMoved || self.isBeginningCorrected || self.isEndCorrected
        case .raised, .ended, .held, .resumed: false
        }
    }
}

extension Site {
    /// The site's own entry for a value that a rule compared with.
    func threshold(of hazard: Hazard, level: WarningLevel, value: Double?, at moment: Timestamp) -> Threshold? {
        guard let value else { return nil }
        let equal = self.thresholds.filter {
            $0.hazard == hazard && $0.isValid(at: moment) && abs($0.value - value) < 1e-9
        }
        return equal.first { $0.level == level } ?? equal.first
    }
}

extension Threshold {
    /// Who set it; empty where the file says that its source does not tell.
    var knownAuthority: String {
        self.authority.hasPrefix("not stated") ? "" : self.authority
    }
}

extension Timestamp {
    /// Without the fraction of a second.
    var wholeSeconds: Timestamp {
        let rest = self.milliseconds % .second
        return Timestamp(milliseconds: self.milliseconds - (rest < 0 ? rest + .second : rest))
    }
}
