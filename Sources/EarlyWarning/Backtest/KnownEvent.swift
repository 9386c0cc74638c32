// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
package import Telemetry

/// Something that did happen, by which a backtest is judged.
package struct KnownEvent: Hashable, Sendable {
    package let name: String
    package let site: String
    /// Only warnings of this hazard count; nil for all.
    package let hazard: Hazard?
    package let start: Timestamp
    package let peak: Timestamp
    package let end: Timestamp

    package init(name: String, site: String, hazard: Hazard?, start: Timestamp, peak: Timestamp, end: Timestamp) {
        self.name = name
        self.site = site
        self.hazard = hazard
        self.start = start
        self.peak = peak
        self.end = end
    }

    /// A list of mappings, alone or under `events`; times are RFC 3339, without a zone read at +08:00.
    ///
    /// - Throws: ``ProblemList`` with the place of everything that is wrong.
    package static func list(yaml text: String, file: String) throws -> [KnownEvent] {
        let problems = ProblemCollector()
        var list = YAMLValue.parse(text, file: file, problems: problems)
        if let map = list, map.isMapping { list = map.mapping(keys: ["events"])?.required("events") }
        let events = (list?.list ?? []).compactMap(KnownEvent.init)
        try problems.throwIfAny()
        return events
    }

    private init?(_ value: YAMLValue) {
        guard let map = value.mapping(keys: ["end", "hazard", "name", "peak", "site", "start"]) else { return nil }
        let texts = (name: map.required("name")?.string, site: map.required("site")?.string)
        let times = ["start", "peak", "end"].map { map.required($0).flatMap(Self.time) }
        guard let name = texts.name, let site = texts.site, let start = times[0], let peak = times[1],
            let end = times[2]
        else { return nil }
        guard start <= peak, peak <= end else {
            value.report("an event has start <= peak <= end; here they are \(start), \(peak), \(end)")
            return nil
        }
        let hazard = map["hazard"]?.string.map { Hazard(rawValue: $0) }
        self.init(name: name, site: site, hazard: hazard, start: start, peak: peak, end: end)
    }

    private static func time(_ value: YAMLValue) -> Timestamp? {
        guard let text = value.string else { return nil }
        if let time = Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes) { return time }
        value.report("'\(text)' is no time; write it like 2018-08-31T23:30:00Z")
        return nil
    }

    /// Whether a part of it lies in a period.
    fileprivate func touches(_ period: ClosedRange<Timestamp>) -> Bool {
        self.start <= period.upperBound && self.end >= period.lowerBound
    }

    /// Those of some events by which a backtest can be judged: of its period, its sites and its rules' hazards.
    ///
    /// - Parameters:
    ///   - outcome: Of the backtest.
    ///   - events: What did happen.
    ///   - period: What was played.
    ///   - sites: Those that alone were played; empty for all.
    ///   - hazards: Of the rules.
    /// - Returns: In their order.
    /// - Throws: ``UnknownNames`` where an event is at a site, or of a hazard, that nobody knows.
    package static func judging(
        _ outcome: Backtest.Outcome,
        _ events: [KnownEvent],
        period: ClosedRange<Timestamp>,
        sites: [String],
        hazards: Set<Hazard>
    ) throws(UnknownNames) -> [KnownEvent] {
        var unknown: [String] = []
        let known = hazards.union(Hazard.allCases).map(\.rawValue)
        for event in events {
            if sites.isEmpty, !outcome.sites.contains(event.site) {
                let advice = Spelling.advice(for: event.site, among: outcome.sites.filter { !$0.isEmpty }.sorted())
                unknown.append("event '\(event.name)': there is no site '\(event.site)'; \(advice)")
            }
            if let hazard = event.hazard?.rawValue, !known.contains(hazard) {
                let advice = Spelling.advice(for: hazard, among: known)
                unknown.append("event '\(event.name)': no hazard is called '\(hazard)'; \(advice)")
            }
        }
        guard unknown.isEmpty else { throw UnknownNames(description: unknown.joined(separator: "\n")) }
        return events.filter { event in
            event.touches(period) && (sites.isEmpty || sites.contains(event.site))
                && event.hazard.map(hazards.contains) ?? true
        }
    }

    /// Names in known events that nobody knows, with what may have been meant.
    package struct UnknownNames: Error, CustomStringConvertible {
        package let description: String
    }

    fileprivate func isMet(by warning: BacktestWarning) -> Bool {
        warning.site == self.site && self.hazard.map { $0 == warning.hazard } ?? true && warning.start <= self.end
            && warning.end.map { self.start < $0 } ?? true
    }
}

/// How well warnings met what happened.
package struct BacktestScore: Sendable {
    /// An event during which a warning was in force.
    package struct Hit: Sendable {
        package let event: KnownEvent
        /// The first raise of each level, and how long before the peak it came in ms; negative where it came after it.
        package let leads: [(raise: BacktestWarning.Raise, lead: Milliseconds)]
    }

    package private(set) var hits: [Hit] = []
    package private(set) var misses: [KnownEvent] = []
    /// Warnings that were in force during no event of their site.
    package let falseAlarms: [BacktestWarning]

    /// A warning and an event meet where they overlap in time; the hazards must agree where the event names one.
    package init(_ warnings: [BacktestWarning], against events: [KnownEvent]) {
        self.falseAlarms = warnings.filter { warning in !events.contains { $0.isMet(by: warning) } }
        for event in events {
            let met = warnings.filter(event.isMet)
            guard !met.isEmpty else {
                self.misses.append(event)
                continue
            }
            var levels: Set<String> = []
            let raises = met.flatMap(\.raises).sorted { ($0.time, $0.level) < ($1.time, $1.level) }
                .filter { $0.time <= event.end && levels.insert("\($0.alertName)/\($0.level.rawValue)").inserted }
            self.hits.append(Hit(event: event, leads: raises.map { ($0, event.peak - $0.time) }))
        }
    }
}
