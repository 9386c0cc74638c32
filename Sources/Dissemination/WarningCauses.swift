// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Telemetry

extension [WarningCause] {
    /// Folds one transition in.
    ///
    /// - Returns: Whether it concerned these causes; what ends, stops or comes back without being a cause does not.
    mutating func apply(_ transition: AlertTransition) -> Bool {
        let index = self.firstIndex { $0.rule == transition.rule && $0.labels == transition.labels }
        switch transition.change {
        case .raised:
            if let index {
                self[index].update(transition)
                self[index].isHeld = false
                self[index].level = transition.level
                self[index].threshold = transition.threshold ?? self[index].threshold
            } else {
                self.append(WarningCause(transition))
            }
            return true
        case .ended:
            guard let index else { return false }
            // Silence ends nothing, whoever says so.
            if transition.reason == "no_data" {
                self[index].hold(transition)
            } else {
                self.remove(at: index)
            }
            return true
        case .held:
            guard let index else { return false }
            self[index].hold(transition)
            return true
        case .resumed:
            guard let index else { return false }
            // What comes with a return is the reading, which is no value of a rule over a window.
            self[index].update(transition, takesValue: HazardQuantity(transition.hazard).isReading)
            self[index].isHeld = false
            return true
        case .amended:
            guard let index else { return false }
            self[index].since = transition.activeSince
            return true
        case .retracted:
            guard let index else { return false }
            self.remove(at: index)
            return true
        }
    }
}

extension WarningCause {
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

    fileprivate mutating func update(_ transition: AlertTransition, takesValue: Bool = true) {
        if takesValue, let value = transition.value {
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
        guard let value = transition.value, HazardQuantity(transition.hazard).isReading else { return }
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
    /// What readings that came late put right.
    var correction: Correction?
    var who = ""
    var remark = ""

    /// Says nothing of any one cause.
    init() {}

    /// - Parameters:
    ///   - transitions: What was just folded in.
    ///   - warning: Afterwards. A value that came with the end of a higher level of the same alert is kept in its leading
    ///     cause, which it also speaks for.
    init(_ transitions: [AlertTransition], warning: inout Warning) {
        self.correction = transitions.compactMap(Correction.init).max { $0.level < $1.level }
        guard let leading = warning.leadingCause else {
            let endings = transitions.filter { $0.change == .ended || $0.change == .retracted }
            guard let last = endings.min(by: { $0.level < $1.level }) else { return }
            self.level = last.level
            self.value = last.value
            self.valueAt = last.lastReadingAt ?? last.eventTime
            self.threshold = last.threshold
            self.evidence = last.evidence
            self.lastReadingAt = last.lastReadingAt
            self.reason = last.reason
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
    /// What was said before.
    let before: AlertAmendment

    init?(_ transition: AlertTransition) {
        guard let amends = transition.amends else { return nil }
        self.level = transition.level
        self.change = transition.change
        self.since = transition.activeSince
        self.peak = transition.peak
        self.before = amends
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
