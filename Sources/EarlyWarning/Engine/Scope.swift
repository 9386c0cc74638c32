// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// What has a clock of its own: a site, all data without a site, or one rule across sites.
final class Scope {
    enum Kind {
        case site(String)
        /// One rule that is evaluated over all sites.
        case across
    }

    let kind: Kind
    /// The key of the clock in a checkpoint.
    let key: String
    let reader: SiteReader?
    var clock = Timestamp.distantPast
    /// How far the tick clock stays behind wall time.
    var grace = ReportSchedule.unregisteredGrace
    /// Times ahead of the clock of which samples have arrived, rising.
    var future: [Timestamp] = []
    private(set) var units: [RuleUnit] = []
    /// Those of `units` that are looked at one by one, and the others.
    private(set) var singles: [RuleUnit] = []
    private(set) var ladders: [RuleLadder] = []
    /// Units on the wall's own time: silence rules of `--clock wall`.
    var wallUnits: [RuleUnit] = []
    var channels: [WatchedChannel] = [] { didSet { self.reports = nil } }
    /// Of the series of which samples have come.
    private var tracks: [SeriesTrack] = []
    /// Of the channels that are expected to report; nil where that has to be found out.
    private var reports: [(track: SeriesTrack?, limit: Milliseconds)]?
    /// The earliest `due` of `units` and of `future`.
    var due = Timestamp.distantFuture
    var wallDue = Timestamp.distantFuture
    /// Of a site: the rules across sites that read it.
    var across: [Scope] = []
    /// Of a rule across sites: whether any site moves its clock.
    var followsAll = false
    var isClockChanged = false
    /// Of a rule across sites: after which others it is judged, as in ``AlertDependencies/ranks``.
    var rank = 0
    /// Of a site.
    let operands: LeftOperands

    init(kind: Kind, key: String, selectors: [SharedSelector]) {
        self.kind = kind
        self.key = key
        if case .site(let site) = kind {
            self.reader = SiteReader(site: site)
            self.operands = LeftOperands(site: site, selectors: selectors)
        } else {
            self.reader = nil
            self.operands = LeftOperands(site: "", selectors: selectors)
        }
    }

    var site: String {
        if case .site(let site) = self.kind { return site }
        return ""
    }

    func add(_ unit: RuleUnit) {
        self.units.append(unit)
        guard self.reader != nil, let comparison = unit.rule.comparison, comparison.isOrdered, !unit.rule.hasMaybe,
            unit.rule.rule.season == nil
        else {
            self.singles.append(unit)
            return
        }
        let ladder = self.ladders.first { ladder in
            ladder.comparison.operand == comparison.operand
                && (!unit.rule.dependsOnTime || ladder.units[0].rule.rule.interval == unit.rule.rule.interval)
        }
        if let ladder {
            ladder.add(unit)
        } else {
            self.ladders.append(RuleLadder(comparison, unit))
        }
    }

    func add(_ track: SeriesTrack) {
        self.tracks.append(track)
        self.reports = nil
    }

    /// Until when no channel of the site is silent; nil where one may be, or where nobody can tell without the reader.
    func reportsUntil(at time: Timestamp, epoch: Int) -> Timestamp? {
        if self.reports == nil { self.reports = self.findReports() }
        guard let reports = self.reports, !reports.isEmpty else { return nil }
        var until = Timestamp.distantFuture
        for report in reports {
            guard let end = report.track?.reportsUntil(at: time, limit: report.limit, epoch: epoch) else { return nil }
            until = min(until, end)
        }
        return until
    }

    private func findReports() -> [(track: SeriesTrack?, limit: Milliseconds)] {
        // Silence that somebody stored is not ours to work out.
        if self.tracks.contains(where: { $0.labels.metric == CompiledRule.silenceMetric }) { return [] }
        return self.channels.compactMap { channel in
            channel.schedule.map { schedule in
                (self.tracks.first { $0.labels == channel.series }, schedule.silenceLimit)
            }
        }
    }

    func rearm() {
        var due = self.future.first ?? .distantFuture
        for unit in self.singles where unit.due < due { due = unit.due }
        for ladder in self.ladders where ladder.due < due { due = ladder.due }
        self.due = due
        var wallDue = Timestamp.distantFuture
        for unit in self.wallUnits where unit.due < wallDue { wallDue = unit.due }
        self.wallDue = wallDue
    }
}

/// Restricts a reader to one site.
struct SiteReader: Sendable {
    let matcher: LabelMatcher

    init(site: String) { self.matcher = LabelMatcher("site", equals: site) }

    func over(_ base: any SeriesReader) -> any SeriesReader {
        RestrictedReader(base: base, matcher: self.matcher)
    }

    /// Remembers what it read: the rules of one site ask for the same series at the same time, level by level.
    ///
    /// Lives for one batch, in which the store does not change.
    private final class RestrictedReader: SeriesReader {
        private struct Answer {
            let request: SelectRequest
            let columns: [SeriesColumns]
        }

        private static let capacity = 24

        private let base: any SeriesReader
        private let matcher: LabelMatcher
        private let answers = Mutex<[Answer]>([])

        init(base: any SeriesReader, matcher: LabelMatcher) {
            self.base = base
            self.matcher = matcher
        }

        func select(_ request: SelectRequest) throws -> [SeriesColumns] {
            let known = self.answers.withLock { answers in
                answers.first { answer in
                    answer.request.extent == request.extent && answer.request.qualities == request.qualities
                        && answer.request.matchers == request.matchers
                }?
                .columns
            }
            if let known { return known }
            var restricted = request
            restricted.matchers.append(self.matcher)
            let columns = try self.base.select(restricted)
            self.answers.withLock { answers in
                // Times only go on; what was asked at an earlier one is not asked again.
                if let first = answers.first,
                    first.request.extent.through != request.extent.through
                        || answers.count >= RestrictedReader.capacity
                {
                    answers.removeAll(keepingCapacity: true)
                }
                answers.append(Answer(request: request, columns: columns))
            }
            return columns
        }

        func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
            try self.base.series(matching: matchers + [self.matcher], after: after, through: through)
        }
    }
}

/// What a sample of one series sets going.
final class Route {
    /// Held so that its address stays its own.
    let key: SeriesKey
    let scope: Scope
    /// Those that are looked at one by one.
    let units: [RuleUnit]
    /// The others, by their ladder.
    let ladders: [(ladder: RuleLadder, units: [RuleUnit])]
    /// Both, which are evaluated at the site's clock.
    let allUnits: [RuleUnit]
    let silenceUnits: [RuleUnit]
    /// Rules across sites.
    let across: [Scope]
    /// The places of the selectors of left sides that may find it.
    let selectors: [Int]
    let track: SeriesTrack
    /// Whether a sample of it has been seen; the first one sets the timers of the silence rules.
    var isKnown = false

    init(
        key: SeriesKey,
        scope: Scope,
        units: [RuleUnit],
        ladders: [(ladder: RuleLadder, units: [RuleUnit])],
        silenceUnits: [RuleUnit],
        across: [Scope],
        selectors: [Int],
        track: SeriesTrack
    ) {
        self.key = key
        self.scope = scope
        self.units = units
        self.ladders = ladders
        self.allUnits = units + ladders.flatMap(\.units)
        self.silenceUnits = silenceUnits
        self.across = across
        self.selectors = selectors
        self.track = track
    }
}
