// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// All warnings that last, as a fold over alert transitions: the same transitions give the same warnings.
///
/// A value for one thread. It holds no clock, no store and no randomness; who applies transitions stores the steps
/// that come back, with ``counters``, before anybody is told.
///
/// ## Usage
/// ```swift
/// var book = WarningBook(settings: settings, sites: { catalog.sites[$0] }, restoring: stored, counters: counters)
/// for step in book.apply(transitions, context: context) { … }
/// ```
package struct WarningBook: Sendable {
    package let settings: DisseminationSettings
    /// The last number given out, by sequence (`2018`, `E2018`, `S2018`).
    package private(set) var counters: [String: Int64]

    private let sites: SiteDirectory
    /// How far back readings that come late may put right what was said.
    private let lateness: Milliseconds
    private var warnings: [Subject: Warning] = [:]
    /// Those that ended within ``lateness`` of the last one of the same subject, in the order of their ends.
    private var ended: [Subject: [Warning]] = [:]

    /// Where a transition belongs; the org is found when the warning is issued, and stays.
    private struct Subject: Hashable {
        var site: String
        var hazard: Hazard
        var status: WarningStatus
        /// Of a list, which no transition belongs to: whose it is.
        var listOf: String?

        init(site: String, hazard: Hazard, status: WarningStatus) {
            self.site = site
            self.hazard = hazard
            self.status = status
        }

        init(_ warning: Warning) {
            let identity = warning.identity
            self.init(site: identity.site, hazard: identity.hazard, status: identity.status)
            if warning.isList { self.listOf = identity.org }
        }
    }

    /// Takes up again what was stored; of `stored` warnings those that have ended tell which numbers are taken, and are
    /// put right where their time comes again.
    ///
    /// - Parameters:
    ///   - settings: Who speaks.
    ///   - sites: The registered sites as they are now.
    ///   - lateness: How far back readings that come late may put right what was said.
    ///   - stored: Warnings as the steps gave them.
    ///   - counters: As stored with them.
    package init(
        settings: DisseminationSettings,
        sites: @escaping SiteDirectory,
        lateness: Milliseconds = .day,
        restoring stored: [Warning] = [],
        counters: [String: Int64] = [:]
    ) {
        self.settings = settings
        self.sites = sites
        self.lateness = lateness
        self.counters = counters
        for warning in stored {
            let parts = warning.number.split(separator: "-")
            if parts.count == 2, let count = Int64(parts[1]) {
                self.counters[String(parts[0]), default: 0] = max(self.counters[String(parts[0])] ?? 0, count)
            }
            if warning.isActive { self.warnings[Subject(warning)] = warning } else { self.keep(warning) }
        }
    }

    /// The warnings that last, states that are only shown among them, by number.
    package var active: [Warning] {
        self.warnings.values.sorted { $0.number < $1.number }
    }

    package func active(number: String) -> Warning? {
        self.warnings.values.first { $0.number == number }
    }

    /// Folds transitions in, in their order; those of one site, hazard and event time make one step.
    package mutating func apply(_ transitions: [AlertTransition], context: StepContext) -> [WarningStep] {
        var groups: [(subject: Subject, transitions: [AlertTransition])] = []
        var newest: [Subject: Int] = [:]
        for transition in transitions {
            for status in self.statuses(of: transition) {
                let subject = Subject(site: transition.site, hazard: transition.hazard, status: status)
                if let index = newest[subject],
                    groups[index].transitions.last?.eventTime == transition.eventTime
                {
                    groups[index].transitions.append(transition)
                } else {
                    newest[subject] = groups.count
                    groups.append((subject, [transition]))
                }
            }
        }
        return groups.flatMap { group in
            let (past, present) = self.divide(group.transitions, of: group.subject)
            return past.map { self.correct($0.warning, by: $0.transitions, context: context) }
                + self.fold(present, into: group.subject, context: context)
        }
    }

    /// Notes that somebody has taken notice.
    package mutating func acknowledge(
        number: String,
        who: String,
        note: String,
        context: StepContext
    ) throws -> WarningStep {
        var warning = try self.told(number: number)
        warning.acknowledgement = Warning.Acknowledgement(who: who, note: note, at: context.processedAt)
        return self.call(.acknowledged, on: warning, who: who, remark: note, context: context)
    }

    /// Withdraws a warning that should not have been issued.
    package mutating func cancel(
        number: String,
        who: String,
        reason: String,
        context: StepContext
    ) throws -> WarningStep {
        var warning = try self.told(number: number)
        warning.isActive = false
        return self.call(.cancelled, on: warning, who: who, remark: reason, context: context)
    }

    /// A warning that lasts and that people know of.
    private func told(number: String) throws -> Warning {
        guard let warning = self.active(number: number) else { throw WarningBookError.notActive(number: number) }
        guard warning.latest != nil else {
            throw warning.identity.hazard == .silence
                ? WarningBookError.waits(number: number) : WarningBookError.notActive(number: number)
        }
        return warning
    }

    /// Says again what lasts and would expire before `deadline`; for a service that lives in wall time.
    ///
    /// A list is not said again: the next one comes.
    package mutating func extend(expiringBefore deadline: Timestamp, context: StepContext) -> [WarningStep] {
        let due = self.active.filter { !$0.isList && ($0.latest.map { $0.expires < deadline } ?? false) }
        return due.map { warning in
            self.call(.amended, on: warning, who: "poyang", remark: "", context: context, amendment: .extended)
        }
    }
}

extension WarningBook {
    /// Simulated evidence and a drill reach only Exercise.
    ///
    /// What ends, stops or comes back without simulated evidence
    /// reaches both; the fold passes it over where its alert is no cause.
    private func statuses(of transition: AlertTransition) -> [WarningStatus] {
        if self.settings.isExercise || transition.evidence.contains(.simulated) { return [.exercise] }
        return transition.change == .raised ? [.actual] : [.actual, .exercise]
    }

    /// Keeps a warning that has ended for as long as it may have to be put right; one that was withdrawn is done with.
    private mutating func keep(_ warning: Warning) {
        let subject = Subject(warning)
        var kept = self.ended[subject, default: []].filter { $0.number != warning.number }
        if warning.latest?.action != .cancelled, warning.past?.isEmpty == false { kept.append(warning) }
        let newest = kept.map(\.updatedAt).max() ?? warning.updatedAt
        self.ended[subject] = kept.filter { $0.updatedAt >= newest - self.lateness }
    }

    /// What readings that came late say of warnings that are over, and all the rest.
    private func divide(
        _ transitions: [AlertTransition],
        of subject: Subject
    ) -> (past: [(warning: Warning, transitions: [AlertTransition])], present: [AlertTransition]) {
        guard let ended = self.ended[subject] else { return ([], transitions) }
        var past: [(warning: Warning, transitions: [AlertTransition])] = []
        var present: [AlertTransition] = []
        func add(_ transition: AlertTransition, to warning: Warning) {
            if let index = past.firstIndex(where: { $0.warning.number == warning.number }) {
                past[index].transitions.append(transition)
            } else {
                past.append((warning, [transition]))
            }
        }
        for transition in transitions {
            let isCorrection = transition.change == .amended || transition.change == .retracted
            let isPresent = self.warnings[subject]?.isConcerned(by: transition) ?? false
            var concerned = transition.amends == nil ? [] : ended.filter { $0.isConcerned(by: transition) }
            concerned.sort { $0.updatedAt < $1.updatedAt }
            if isCorrection, !isPresent, let newest = concerned.popLast() {
                add(transition, to: newest)
            } else {
                present.append(transition)
            }
            // Of a firing that went on after all an earlier warning told the beginning.
            for warning in concerned {
                if let share = warning.share(of: transition) { add(share, to: warning) }
            }
        }
        return (past, present)
    }

    /// Puts right what was said of a warning that is over; where nothing is left of it, it is withdrawn.
    private mutating func correct(
        _ before: Warning,
        by transitions: [AlertTransition],
        context: StepContext
    ) -> WarningStep {
        var warning = before
        for transition in transitions { _ = warning.apply(transition) }
        defer { self.keep(warning) }
        let eventTime = transitions.first?.eventTime ?? warning.updatedAt
        let speaker = Speaker(transitions, warning: &warning)
        guard warning.latest != nil, speaker.corrections.contains(where: \.isNews) else {
            let entry = self.noted(transitions, of: warning, at: eventTime, context: context)
            return WarningStep(
                warning: warning,
                message: nil,
                ledger: warning.identity.hazard.isStatusOnly ? [] : [entry]
            )
        }
        let isLeft = warning.past?.isEmpty == false
        let message = self.message(
            isLeft ? .amended : .cancelled,
            isLeft ? .corrected : nil,
            on: warning,
            previous: warning.level,
            at: eventTime,
            speaker: speaker,
            context: context
        )
        return self.step(&warning, message, who: "poyang", context: context)
    }

    /// What changed of which people are not told.
    private func noted(
        _ transitions: [AlertTransition],
        of warning: Warning,
        at eventTime: Timestamp,
        context: StepContext
    ) -> LedgerFact {
        let waits = warning.causes.contains(where: \.isWaiting) ? "; waits for the list of the morning" : ""
        return LedgerFact(
            number: warning.number,
            time: eventTime,
            processedAt: context.processedAt,
            kind: "changed",
            who: "poyang",
            what: transitions.map { "\($0.change.rawValue) \($0.rule)" }.joined(separator: "; ") + waits
        )
    }

    private mutating func fold(
        _ transitions: [AlertTransition],
        into subject: Subject,
        context: StepContext
    ) -> [WarningStep] {
        let before = self.warnings[subject]
        guard let eventTime = transitions.first?.eventTime else { return [] }
        var warning = before ?? self.newWarning(subject, at: eventTime)
        let effective = transitions.filter { warning.apply($0) }
        guard !effective.isEmpty, before != nil || !warning.causes.isEmpty else { return [] }

        warning.isActive = !warning.causes.isEmpty
        warning.updatedAt = eventTime
        warning.level = warning.causes.map(\.level).max() ?? warning.level
        if before == nil { warning.number = self.nextNumber(warning) }
        defer {
            self.warnings[subject] = warning.isActive ? warning : nil
            if !warning.isActive { self.keep(warning) }
        }
        if warning.identity.hazard.isStatusOnly { return [WarningStep(warning: warning, message: nil, ledger: [])] }
        let isCalled = subject.hazard == .silence && warning.stopWaiting(all: self.isWarned(subject))

        var speaker = Speaker(effective, warning: &warning)
        speaker.who = "poyang"
        let change =
            subject.hazard == .silence
            ? WarningChange.ofSilence(from: before, to: warning, by: effective, isCalled: isCalled)
            : WarningChange.of(before, to: warning, by: effective)
        guard let (action, amendment) = change else {
            let entry = self.noted(effective, of: warning, at: eventTime, context: context)
            return [WarningStep(warning: warning, message: nil, ledger: [entry])]
        }
        if action == .raised { warning.acknowledgement = nil }
        let message = self.message(
            action,
            amendment,
            on: warning,
            previous: before?.level,
            at: eventTime,
            speaker: speaker,
            context: context
        )
        let step = self.step(&warning, message, who: "poyang", context: context)
        guard subject.hazard.makesSilenceUrgent, warning.isActive else { return [step] }
        return [step] + self.callSilence(ofSite: subject, at: eventTime, context: context)
    }

    /// Whether people are warned of something at the site.
    private func isWarned(_ subject: Subject) -> Bool {
        !subject.site.isEmpty
            && self.warnings.contains { other, warning in
                other.site == subject.site && other.status == subject.status && other.hazard.makesSilenceUrgent
                    && warning.latest != nil
            }
    }

    /// Calls people for what is silent at a site that is warned of something, and waited for the list.
    private mutating func callSilence(
        ofSite warned: Subject,
        at eventTime: Timestamp,
        context: StepContext
    ) -> [WarningStep] {
        let subject = Subject(site: warned.site, hazard: .silence, status: warned.status)
        guard !warned.site.isEmpty, var warning = self.warnings[subject], warning.stopWaiting(all: true) else {
            return []
        }
        warning.updatedAt = eventTime
        var speaker = Speaker([], warning: &warning)
        speaker.who = "poyang"
        let message = self.message(
            warning.latest == nil ? .issued : .amended,
            warning.latest == nil ? nil : .joined,
            on: warning,
            previous: warning.latest?.level,
            at: eventTime,
            speaker: speaker,
            context: context
        )
        let step = self.step(&warning, message, who: "poyang", context: context)
        self.warnings[subject] = warning
        return [step]
    }

    mutating func issueList(
        _ identity: WarningIdentity,
        _ causes: [WarningCause],
        at moment: Timestamp,
        context: StepContext
    ) -> WarningStep {
        var warning = Warning(
            number: "",
            identity: identity,
            level: causes.map(\.level).max() ?? .notice,
            causes: causes,
            isActive: true,
            issuedAt: moment,
            updatedAt: moment,
            acknowledgement: nil,
            latest: nil,
            messageCount: 0,
            listedAt: moment
        )
        warning.number = self.nextNumber(warning)
        let message = self.message(
            .issued,
            nil,
            on: warning,
            previous: nil,
            at: moment,
            speaker: Speaker(),
            context: context
        )
        let step = self.step(&warning, message, who: "poyang", context: context)
        self.warnings[Subject(warning)] = warning
        return step
    }

    /// Ends a list without a message: what it said was true of its day.
    mutating func closeList(_ list: Warning, at moment: Timestamp, context: StepContext) -> WarningStep {
        self.warnings[Subject(list)] = nil
        var warning = list
        warning.isActive = false
        warning.causes = []
        warning.updatedAt = moment
        let entry = LedgerFact(
            number: warning.number,
            time: moment,
            processedAt: context.processedAt,
            kind: "changed",
            who: "poyang",
            what: "over: the list was made anew"
        )
        return WarningStep(warning: warning, message: nil, ledger: [entry])
    }

    /// As people call a site.
    func title(ofSite site: String) -> LocalizedName { SiteFacts(id: site, site: self.sites(site)).title }

    private mutating func call(
        _ action: WarningAction,
        on original: Warning,
        who: String,
        remark: String,
        context: StepContext,
        amendment: MessageSubject.Amendment? = nil
    ) -> WarningStep {
        var warning = original
        var speaker = Speaker([], warning: &warning)
        speaker.who = who
        speaker.remark = remark
        let message = self.message(
            action,
            amendment,
            on: warning,
            previous: warning.level,
            at: warning.updatedAt,
            speaker: speaker,
            context: context
        )
        if !warning.isActive { warning.causes = [] }
        let step = self.step(&warning, message, who: who, context: context, remark: remark)
        self.warnings[Subject(warning)] = warning.isActive ? warning : nil
        return step
    }

    private func step(
        _ warning: inout Warning,
        _ message: WarningMessage,
        who: String,
        context: StepContext,
        remark: String = ""
    ) -> WarningStep {
        warning.messageCount += 1
        warning.latest = message
        let what = [message.identifier, message.headline.zh, remark].filter { !$0.isEmpty }.joined(separator: " ")
        let entry = LedgerFact(
            number: warning.number,
            time: message.eventTime,
            processedAt: context.processedAt,
            kind: message.action.rawValue,
            who: who,
            what: what
        )
        return WarningStep(warning: warning, message: message, ledger: [entry])
    }

    private func message(
        _ action: WarningAction,
        _ amendment: MessageSubject.Amendment?,
        on warning: Warning,
        previous: WarningLevel?,
        at eventTime: Timestamp,
        speaker: Speaker,
        context: StepContext
    ) -> WarningMessage {
        let identity = warning.identity
        let isPast = !warning.isActive && action == .amended
        let site = self.sites(identity.site)
        let sent = context.sentAt.wholeSeconds
        let limit = site?
            .threshold(
                of: identity.hazard,
                level: speaker.level ?? warning.level,
                value: speaker.threshold,
                at: eventTime
            )
        let unit = limit?.unit.symbol ?? speaker.annotations["unit"] ?? HazardQuantity(identity.hazard).symbol
        var facts = SiteFacts(id: identity.site, site: site)
        if warning.isList, !identity.org.isEmpty { facts.name = LocalizedName(zh: identity.org, en: identity.org) }
        let isList = warning.isList && action == .issued
        let texts =
            isList
            ? self.listTexts(warning.causes, of: facts, status: identity.status, at: eventTime)
            : MessageTexts(
                MessageSubject(
                    action: action,
                    amendment: amendment,
                    status: identity.status,
                    hazard: identity.hazard,
                    level: warning.level,
                    previousLevel: previous,
                    facts: facts,
                    datum: site?.datum,
                    eventTime: eventTime,
                    value: speaker.value,
                    valueAt: speaker.valueAt,
                    threshold: speaker.threshold,
                    siteThreshold: limit,
                    unit: unit,
                    evidence: speaker.evidence,
                    isHeld: warning.isHeld,
                    lastReadingAt: speaker.lastReadingAt,
                    reason: speaker.reason,
                    annotations: speaker.annotations,
                    corrections: speaker.corrections,
                    isPast: isPast,
                    who: speaker.who,
                    remark: speaker.remark
                )
            )
        // That something is silent or broken has no value, and neither has the end of what only a summary can say.
        let isOver = HazardQuantity(identity.hazard).danger == .spoken && action == .ended
        let isMeasured = identity.hazard != .silence && identity.hazard != .system && !isOver
        let isConfigured = self.settings.sender != nil
        return WarningMessage(
            identifier: "\(self.settings.identifierPrefix)-\(warning.number)-\(warning.messageCount + 1)",
            number: warning.number,
            action: action,
            status: identity.status,
            hazard: identity.hazard,
            level: warning.level,
            previousLevel: previous,
            org: identity.org,
            site: facts,
            eventTime: eventTime,
            onset: warning.issuedAt,
            sent: sent,
            expires: sent + self.settings.lifetime,
            value: isMeasured ? speaker.value.map(rounded) : nil,
            threshold: speaker.threshold,
            unit: isMeasured && speaker.value != nil ? unit : "",
            thresholdAuthority: limit?.knownAuthority ?? "",
            evidence: speaker.evidence,
            isHeld: warning.isHeld,
            lastReadingAt: speaker.lastReadingAt,
            sender: self.settings.sender ?? DisseminationSettings.unconfiguredSender,
            senderName: self.settings.senderName,
            note: isConfigured ? "" : "内部预警，供参考",
            restriction: "仅限本单位内部使用，不得对外发布",
            headline: texts.headline,
            details: texts.details,
            instruction: texts.instruction,
            references: warning.latest.map { $0.references + [$0.reference] } ?? [],
            silentChannels: warning.isList ? warning.causes.map(SilentChannel.init) : nil,
            endedAt: isPast ? warning.updatedAt : nil,
            reason: action == .ended ? speaker.reason : isPast ? warning.latest?.reason : nil
        )
    }

    private func newWarning(_ subject: Subject, at eventTime: Timestamp) -> Warning {
        let identity = WarningIdentity(
            org: self.sites(subject.site)?.org ?? "",
            site: subject.site,
            hazard: subject.hazard,
            status: subject.status
        )
        return Warning(
            number: "",
            identity: identity,
            level: .notice,
            causes: [],
            isActive: true,
            issuedAt: eventTime,
            updatedAt: eventTime,
            acknowledgement: nil,
            latest: nil,
            messageCount: 0
        )
    }

    private mutating func nextNumber(_ warning: Warning) -> String {
        let year = CivilTime(warning.issuedAt, offsetMinutes: Timestamp.chinaOffsetMinutes).year
        let mark = warning.identity.status == .exercise ? "E" : ""
        let sequence = (warning.identity.hazard.isStatusOnly ? "S" : mark) + String(year)
        let count = (self.counters[sequence] ?? 0) + 1
        self.counters[sequence] = count
        let digits = String(count)
        return "\(sequence)-\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)"
    }
}

/// Without the noise that a conversion of units leaves: to a millionth.
private func rounded(_ value: Double) -> Double {
    guard value.isFinite, abs(value) < 1e9 else { return value }
    return (value * 1e6).rounded() / 1e6
}
