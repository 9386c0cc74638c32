// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import Dissemination
import EarlyWarning
import HTTPAPI
import SeriesStorage
import Synchronization
import Telemetry

/// Everything that follows a commit: series, rules, warnings and their one transaction.
///
/// Used by one thread. A step that fails can be repeated: what was computed but not saved waits in `unsaved`.
final class ProcessingCore {
    private let store: SeriesStore
    private let records: CatalogStore
    private let resolver: CatalogResolver
    private let feedSignal: FeedSignal
    private let options: PlatformOptions
    private(set) var rules: RuleSet
    private(set) var engine: RuleEngine
    private(set) var recorder: Recorder
    /// Stores what recording rules make of a batch; set by who owns the journal.
    ///
    /// Gives the position under which it will come; nil where it never does.
    var commitRecorded: (ReadingBatch) throws -> JournalPosition? = { _ in nil }
    /// What recording rules have made that the store has not come to.
    private let ahead: RecordedAhead
    /// The same by the entries that bring it; the rules have seen it with what it was made from.
    private var recorded: [JournalPosition: [AppliedSample]] = [:]
    /// Entries of recorded samples that the rules must look at for themselves: they began anew meanwhile.
    private var unjudged: Set<JournalPosition> = []
    /// How long recorded values stand for the present, for readers on any thread.
    let recordedBoard: RecordedBoard
    private(set) var book: WarningBook
    private(set) var counts = ApplyCounts()
    /// The newest entry that the rules have seen.
    private(set) var processed: JournalPosition
    /// The newest entry whose consequences are on disk.
    private var saved: JournalPosition
    private var unsaved = ProcessedBatch()
    /// What was applied since the last save, in order; the first ``judged`` of it the rules have seen.
    private var sinceSave: [AppliedEntry] = []
    private var judged = 0
    private var lastSave = Timestamp.distantPast
    private let ownClock: OwnClock
    private var brokerWatch: BrokerWatch
    /// When the broker was away, for readers on any thread.
    let outageBoard: OutageBoard
    /// The newest moment at which the list of silent channels was due, and was made or found empty.
    private var listedThrough: Timestamp?
    /// What is wrong with our own clock; nil while it can be believed.
    private(set) var clockFault: String?
    /// What keeps the store from sealing; nil when all is well.
    private(set) var sealFault: String?
    private var nextSealing = Timestamp.distantPast
    /// Called after something was sealed.
    private let sealed: @Sendable () -> Void

    /// Whether rules are evaluated.
    ///
    /// A command that opens the directory while no service runs only looks: what was committed waits for the service,
    /// which knows its clock and whether it is an exercise.
    private var isJudging: Bool { self.options.isService }

    /// How long after a start nothing is called silent: the broker still holds what came while we were away.
    private static let restartGrace: Milliseconds = 2 * .minute
    /// How often the position is saved while nothing happens.
    private static let saveInterval: Milliseconds = .second
    /// Wait between attempts to seal while the disk refuses.
    private static let sealRetryInterval: Milliseconds = 10 * .second
    /// How long before it expires a message that still holds is said again.
    private static let extensionLead: Milliseconds = .hour

    init(
        store: SeriesStore,
        records: CatalogStore,
        resolver: CatalogResolver,
        feedSignal: FeedSignal,
        options: PlatformOptions,
        rules: RuleSet,
        processed: JournalPosition,
        at now: Timestamp,
        sealed: @escaping @Sendable () -> Void = {}
    ) throws {
        self.store = store
        self.records = records
        self.resolver = resolver
        self.feedSignal = feedSignal
        self.options = options
        self.sealed = sealed
        self.rules = rules
        self.processed = processed
        self.saved = processed
        let lateness = rules.alerts.map(\.lateness).max() ?? 0
        self.book = WarningBook(
            settings: DisseminationSettings(
                sender: options.sender,
                senderName: options.senderName,
                isExercise: options.exercise
            ),
            sites: { [resolver] in resolver.catalog.sites[$0] },
            lateness: lateness,
            restoring: try records.warnings(endedWithin: lateness).map { try $0.warning() },
            counters: try records.counters()
        )
        self.engine = RuleEngine(rules: rules, clockMode: options.clock)
        self.recorder = try Recorder(rules: rules.recordings)
        self.ahead = RecordedAhead(store: store.reader)
        self.recordedBoard = RecordedBoard()
        self.ownClock = OwnClock(skew: resolver.policy.skew)
        let notes = try records.clocks()
        self.brokerWatch = BrokerWatch(try notes.lazy.compactMap(OutageNote.outages).first ?? Outages())
        self.outageBoard = OutageBoard(self.brokerWatch.outages)
        self.listedThrough = notes.lazy.compactMap(MorningNote.init).first?.moment
        try self.restartEngine(at: now)
        self.checkOwnClock(at: now)
    }

    /// Takes one journal entry through series, rules and warnings.
    ///
    /// After an error the same entry may be given again: what of it was done is not done twice.
    func process(_ entry: JournalEntry, at now: Timestamp) throws {
        if entry.position > self.store.appliedPosition {
            // By what the journal says, so that feeding it again judges the same.
            let isSuspect = self.ownClock.isSuspect(newest: self.store.newestTime, at: entry.receivedAt)
            let (applied, counts) = try self.store.apply(entry)
            self.counts.add(counts)
            let recorded = self.recorded.removeValue(forKey: entry.position)
            if let recorded { self.ahead.drop(recorded) }
            if self.isJudging {
                let isJudged = recorded != nil && self.unjudged.remove(entry.position) == nil
                self.sinceSave.append(
                    AppliedEntry(batch: applied, isWallClockSuspect: isSuspect, isJudged: isJudged)
                )
            } else if entry.bringsNothingToJudge, entry.position.rawValue == self.processed.rawValue + 1 {
                // It need not wait for the service, and sealing need not wait for it.
                self.processed = entry.position
            }
        }
        try self.judge(at: now)
        try self.save(at: now)
    }

    /// Lets timers fire that fall due by the wall clock, and says again what would expire.
    ///
    /// - Parameters:
    ///   - now: Wall time.
    ///   - brokerFault: Why no reading can come from the broker; nil while it is subscribed to.
    /// - Throws: When the store or the catalogue refuses; the same tick may be given again.
    func tick(at now: Timestamp, brokerFault: String? = nil) throws {
        guard self.isJudging else { return }
        if self.options.clock == .wall { try self.watchBroker(at: now, fault: brokerFault) }
        try self.judge(at: now)
        self.checkOwnClock(at: now)
        if self.clockFault == nil {
            try self.evaluate(at: now) { engine, reader in
                var transitions = try self.judgeRecordsOfTime(at: now, afterAlerts: false, engine, reader)
                transitions += try engine.tick(wallTime: now, reader: reader)
                return try transitions + self.judgeRecordsOfTime(at: now, afterAlerts: true, engine, reader)
            }
            try self.listSilence(at: now)
        }
        let context = StepContext(sentAt: now, processedAt: now)
        try self.add(self.book.extend(expiringBefore: now + Self.extensionLead, context: context))
        try self.save(at: now)
    }

    /// While the broker is away no channel is called silent, and afterwards not before what it kept has come: that it is
    /// away is one warning.
    private func watchBroker(at now: Timestamp, fault: String?) throws {
        if fault != nil {
            self.engine.silenceHeldUntil = max(self.engine.silenceHeldUntil, now + Self.restartGrace)
        }
        guard let transition = self.brokerWatch.observe(fault: fault, at: now) else { return }
        let outages = self.brokerWatch.outages
        self.outageBoard.put(outages)
        self.unsaved.clocks.append(try OutageNote.row(outages))
        if !outages.isNow { self.engine.lookAtChannels(at: self.engine.silenceHeldUntil) }
        try self.tell([transition], at: now)
    }

    /// Since when the broker has been away; nil while it is there.
    var brokerAwaySince: Timestamp? { self.brokerWatch.awaySince }

    /// The store as the rules see it.
    private var reader: any SeriesReader {
        self.recordedBoard.series.over(
            CatalogReader(
                base: self.rules.recordings.isEmpty ? self.store.reader : self.ahead,
                catalog: self.resolver.catalog,
                outages: self.brokerWatch.outages,
                maintenance: self.resolver.maintenance
            )
        )
    }

    /// The present alerts.
    var alerts: [AlertSnapshot] { self.engine.snapshot(over: self.reader) }

    /// Looks anew at which channels are silent: times of which silence is not counted have changed.
    func lookAtChannels(at moment: Timestamp) { self.engine.lookAtChannels(at: moment) }

    /// Takes notice when our own clock cannot be believed, or can be again.
    private func checkOwnClock(at now: Timestamp) {
        self.clockFault = self.ownClock.fault(newest: self.store.newestTime, at: now)
        var policy = self.resolver.policy
        guard policy.isOwnClockSuspect != (self.clockFault != nil) else { return }
        policy.isOwnClockSuspect = self.clockFault != nil
        self.resolver.replace(policy: policy)
    }

    /// The clocks of those of `sites` that have one.
    func clocks(of sites: [String]) -> [String: Timestamp] {
        var clocks: [String: Timestamp] = [:]
        for site in sites { clocks[site] = self.engine.clock(ofSite: site) }
        return clocks
    }

    /// Records who took note of a warning.
    func acknowledge(number: String, by name: String, note: String, at now: Timestamp) throws {
        let context = StepContext(sentAt: now, processedAt: now)
        try self.add([try self.book.acknowledge(number: number, who: name, note: note, context: context)])
        try self.save(at: now)
    }

    /// Puts other rules, or the same over another catalogue, in force; what alerts were is kept.
    func reconfigure(rules: RuleSet?, at now: Timestamp) throws {
        try self.save(at: now, isLast: true)
        if let rules { self.rules = rules }
        try self.restartEngine(at: now)
        try self.save(at: now, isLast: true)
    }

    /// Shows the rules what was applied and not yet judged.
    private func judge(at now: Timestamp) throws {
        while self.judged < self.sinceSave.count {
            let entry = self.sinceSave[self.judged]
            if !entry.isJudged {
                self.engine.isWallClockSuspect = entry.isWallClockSuspect
                let batches = try self.withRecorded(entry.batch)
                let lists = self.listsDue(in: entry.batch)
                try self.evaluate(at: now, lists: lists) { engine, reader in
                    let transitions = try batches.flatMap { try engine.process($0, reader: reader) }
                    return try transitions + self.judgeRecordsOfAlerts(after: batches, engine, reader)
                }
            }
            self.judged += 1
            self.processed = entry.batch.position
        }
    }

    /// A batch with what the recording rules make of it, to be judged together.
    ///
    /// A rule sees what another one records at the very moment of what that was made from.
    private func withRecorded(_ batch: AppliedBatch) throws -> [AppliedBatch] {
        guard !self.rules.recordings.isEmpty else { return [batch] }
        let isDataClock = self.options.clock == .data
        var batch = batch
        switch batch.content {
        case .samples(let samples):
            guard let newest = samples.map(\.sample.time).max() else { return [batch] }
            let recorded = try self.record(samples, during: isDataClock ? newest...newest : nil, batch.receivedAt)
            batch.content = .samples(samples + recorded)
            return [batch]
        case .clockAdvance(_, let to):
            guard isDataClock else { return [batch] }
            let recorded = try self.record([], during: to...to, batch.receivedAt)
            guard !recorded.isEmpty else { return [batch] }
            var first = batch
            first.content = .samples(recorded)
            return [first, batch]
        }
    }

    /// Lets the recording rules look that may have a value without any sample, where the clock is that of the wall.
    ///
    /// They wait until what the broker kept has come, and as long as data without a channel may take.
    private func judgeRecordsOfTime(
        at now: Timestamp,
        afterAlerts: Bool,
        _ engine: RuleEngine,
        _ reader: any SeriesReader
    ) throws -> [AlertTransition] {
        guard self.recorder.followsTime, self.options.clock == .wall, now >= engine.silenceHeldUntil else { return [] }
        let time = now - ReportSchedule.unregisteredGrace
        let recorded = try self.record([], during: time...time, now, afterAlerts: afterAlerts)
        return try self.judge(recorded, receivedAt: now, engine, reader)
    }

    /// Lets the recording rules look that read alerts, when these were judged.
    private func judgeRecordsOfAlerts(
        after batches: [AppliedBatch],
        _ engine: RuleEngine,
        _ reader: any SeriesReader
    ) throws -> [AlertTransition] {
        guard self.recorder.readsAlerts, let receivedAt = batches.last?.receivedAt else { return [] }
        var samples: [AppliedSample] = []
        var times: [Timestamp] = []
        for batch in batches {
            switch batch.content {
            case .samples(let found):
                samples += found
                times += found.map(\.sample.time)
            case .clockAdvance(_, let to): times.append(to)
            }
        }
        let time = self.options.clock == .data ? times.max().map { $0...$0 } : nil
        let recorded = try self.record(samples, during: time, receivedAt, afterAlerts: true)
        return try self.judge(recorded, receivedAt: receivedAt, engine, reader)
    }

    private func judge(
        _ recorded: [AppliedSample],
        receivedAt: Timestamp,
        _ engine: RuleEngine,
        _ reader: any SeriesReader
    ) throws -> [AlertTransition] {
        guard !recorded.isEmpty else { return [] }
        let batch = AppliedBatch(position: self.processed, receivedAt: receivedAt, content: .samples(recorded))
        return try engine.process(batch, reader: reader)
    }

    /// Stores what the recording rules make of samples, before anybody is told of it: what is recorded twice after a
    /// failure is a duplicate.
    private func record(
        _ samples: [AppliedSample],
        during time: ClosedRange<Timestamp>?,
        _ receivedAt: Timestamp,
        afterAlerts: Bool = false
    ) throws -> [AppliedSample] {
        do {
            let recorded = try self.recorder.record(
                samples,
                during: time,
                afterAlerts: afterAlerts,
                reader: afterAlerts ? self.engine.showingAlerts(over: self.reader) : self.reader,
                keep: self.ahead.keep
            )
            guard !recorded.isEmpty else { return [] }
            var batch = ReadingBatch(receivedAt: receivedAt)
            batch.readings = recorded.map { ResolvedReading(series: $0.series, sample: $0.sample, hasOwnTime: true) }
            if let position = try self.commitRecorded(batch) {
                self.recorded[position] = recorded
            } else {
                self.ahead.drop(recorded)
            }
            return recorded
        } catch {
            // What was not stored is recorded again.
            self.recorder = try self.makeRecorder()
            throw error
        }
    }

    private func makeRecorder() throws -> Recorder {
        try Recorder(rules: self.rules.recordings, notes: try self.records.clocks())
    }

    /// Saves a note of the rules' own.
    func note(_ row: ClockRow, at now: Timestamp) throws {
        self.unsaved.clocks.append(row)
        try self.save(at: now, isLast: true)
    }

    private func evaluate(
        at now: Timestamp,
        lists: [Timestamp] = [],
        _ step: (RuleEngine, any SeriesReader) throws -> [AlertTransition]
    ) throws {
        let transitions: [AlertTransition]
        do {
            transitions = try step(self.engine, self.reader)
        } catch {
            // Half an evaluation is worse than none: begin again from what is on disk. Nothing has been told since then,
            // because what is told is saved at once.
            self.judged = 0
            self.processed = self.saved
            try self.restartEngine(at: now)
            throw error
        }
        var rest = transitions[...]
        for moment in lists {
            let before = rest.prefix { $0.eventTime <= moment }
            rest = rest.dropFirst(before.count)
            try self.tell(Array(before), at: now)
            try self.listSilence(dueAt: moment, asOf: moment, at: now)
        }
        try self.tell(Array(rest), at: now)
    }

    private var morningList: MorningList { MorningList(minute: self.options.morningListMinute) }

    /// Where the clock is that of the wall: makes the list when its time has come, also when nobody ran then.
    ///
    /// After a start it waits until what the broker kept has come.
    private func listSilence(at now: Timestamp) throws {
        guard self.options.clock == .wall, now >= self.engine.silenceHeldUntil else { return }
        let due = self.morningList.newest(through: now)
        guard let listed = self.listedThrough else { return try self.noteList(due, at: now) }
        guard due > listed else { return }
        try self.listSilence(dueAt: due, asOf: now, at: now)
        try self.save(at: now, isLast: true)
    }

    private func listSilence(dueAt due: Timestamp, asOf moment: Timestamp, at now: Timestamp) throws {
        try self.add(self.book.listSilence(at: moment, context: StepContext(sentAt: now, processedAt: now)))
        self.listedThrough = due
        self.unsaved.clocks.append(MorningNote(moment: due).row)
    }

    /// Keeps in mind when the count of days began.
    private func noteList(_ due: Timestamp, at now: Timestamp) throws {
        self.listedThrough = due
        try self.note(MorningNote(moment: due).row, at: now)
    }

    /// Where the clock is that of the data: the moments of a batch at which a list is due, at most one for each sample
    /// or advance, however far it moves the clock.
    private func listsDue(in batch: AppliedBatch) -> [Timestamp] {
        guard self.options.clock == .data else { return [] }
        let times: [Timestamp] =
            switch batch.content {
            case .samples(let samples): samples.map(\.sample.time)
            case .clockAdvance(_, let to): [to]
            }
        var due: [Timestamp] = []
        for time in times {
            guard let last = due.last ?? self.listedThrough else {
                // The first sample of all begins the count of days.
                let first = MorningNote(moment: self.morningList.newest(through: time))
                self.listedThrough = first.moment
                self.unsaved.clocks.append(first.row)
                continue
            }
            guard time - last >= .day else { continue }
            due.append(self.morningList.newest(through: time))
        }
        return due
    }

    private func tell(_ transitions: [AlertTransition], at now: Timestamp) throws {
        guard !transitions.isEmpty else { return }
        try self.unsaved.add(transitions)
        try self.add(self.book.apply(transitions, context: StepContext(sentAt: now, processedAt: now)))
    }

    private func add(_ steps: [WarningStep]) throws {
        for step in steps { try self.unsaved.add(step) }
    }

    /// Makes the engine anew from what is on disk; alerts whose rule is gone end.
    private func restartEngine(at now: Timestamp) throws {
        let resolver = self.resolver
        self.recorder = try self.makeRecorder()
        self.unjudged = Set(self.recorded.keys)
        for index in self.sinceSave.indices { self.sinceSave[index].isJudged = false }
        let channels = resolver.catalog.watchedChannels
        self.recordedBoard.put(RecordedSeries(self.rules.recordings, channels: channels))
        let engine = RuleEngine(rules: self.rules, clockMode: self.options.clock) { site in
            resolver.catalog.watchedChannels(at: site)
        }
        engine.silenceHeldUntil = now + Self.restartGrace
        let ended = try engine.restore(
            alerts: try self.records.alertStates(),
            clocks: try self.records.clocks(),
            reader: self.recordedBoard.series.over(
                CatalogReader(
                    base: KnownSitesReader(base: self.store.reader, catalog: resolver.catalog),
                    catalog: resolver.catalog,
                    outages: self.brokerWatch.outages,
                    maintenance: resolver.maintenance
                )
            )
        )
        let watched = resolver.catalog.sites.keys.filter { !resolver.catalog.registeredChannels(at: $0).isEmpty }
        engine.watch(watched, at: now)
        self.engine = engine
        if self.isJudging { try self.tell(ended, at: now) }
    }

    /// Saves what happened; when nothing did, only once a second.
    func save(at now: Timestamp, isLast: Bool = false) throws {
        let isDue = now - self.lastSave >= Self.saveInterval || isLast
        let isNoted = !self.unsaved.clocks.isEmpty && isLast
        guard self.unsaved.hasNews || isNoted || (isDue && self.processed > self.saved) else { return }
        // Who does not judge may have loaded other rules, or none: their states are not to be touched.
        if self.isJudging {
            self.unsaved.take(self.engine.checkpoint())
            self.unsaved.clocks += self.recorder.notes()
        }
        self.unsaved.counters = self.book.counters
        self.unsaved.position = self.processed
        try self.records.commit(self.unsaved)
        let grew = !self.unsaved.feed.isEmpty
        self.unsaved = ProcessedBatch()
        self.saved = self.processed
        self.sinceSave.removeFirst(self.judged)
        self.judged = 0
        self.lastSave = now
        if grew { self.feedSignal.notify() }
        self.seal(at: now)
    }

    /// Puts all that was applied into blocks, however short the journal is.
    func sealAll(at now: Timestamp) throws {
        try self.save(at: now, isLast: true)
        if try self.store.seal(through: self.saved, force: true) { self.sealed() }
    }

    /// Lets the store seal, if it is time; when it cannot, the rules go on all the same, and the journal grows.
    private func seal(at now: Timestamp) {
        guard self.sealFault == nil || !(self.nextSealing - Self.sealRetryInterval...self.nextSealing).contains(now)
        else { return }
        do {
            let isSealed = try self.store.seal(through: self.saved)
            self.sealFault = nil
            if isSealed { self.sealed() }
        } catch {
            self.sealFault = "\(error)"
            self.nextSealing = now + Self.sealRetryInterval
        }
    }
}

/// What was applied since the last save.
private struct AppliedEntry {
    let batch: AppliedBatch
    let isWallClockSuspect: Bool
    /// Whether the rules have seen what it brings: they recorded it.
    var isJudged: Bool
}

/// How long recorded values stand for the present, as the rules in force say; for any thread.
final class RecordedBoard: Sendable {
    private let held = Mutex(RecordedSeries([]) { _ in [] })

    var series: RecordedSeries { self.held.withLock { $0 } }

    func put(_ series: RecordedSeries) { self.held.withLock { $0 = series } }
}

extension JournalEntry {
    /// Imports and removals change series past the rules, which read them anew when they need them.
    fileprivate var bringsNothingToJudge: Bool {
        switch self.content {
        case .invalidation, .removal: true
        case .readings, .clockAdvance: false
        }
    }
}
