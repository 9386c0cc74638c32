// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// What several left sides at a site read: one selector, and how far back.
struct SharedSelector: Sendable {
    let matchers: [LabelMatcher]
    var reach: Milliseconds

    /// Whether a stored series can be among what it finds; virtual labels are only known to the reader.
    func mayFind(_ labels: Labels) -> Bool {
        self.matchers.allSatisfy { Site.virtualLabelNames.contains($0.name) || $0.matches(labels) }
    }
}

/// What the engine has seen of one stored series.
final class SeriesTrack {
    /// As stored.
    let labels: Labels
    /// The newest one by its time since the series was first seen, and the time of one before it.
    private(set) var newest: Sample?
    private var earlier: Timestamp?
    private var epoch = 0

    init(labels: Labels) { self.labels = labels }

    /// Takes note of a sample that is in the store now; `epoch` as in ``LeftOperands/forget(epoch:)``.
    func note(_ sample: Sample, epoch: Int) {
        if epoch != self.epoch {
            self.epoch = epoch
            self.newest = nil
            self.earlier = nil
        }
        guard let newest = self.newest, newest.time >= sample.time else {
            self.earlier = self.newest?.time
            self.newest = sample
            return
        }
        if newest.time == sample.time { self.newest = sample }
    }

    /// Whether its newest sample is one that rules look at, and not older than `time`.
    func isReporting(at time: Timestamp) -> Bool {
        guard let newest = self.newest, newest.time >= time else { return false }
        return QualitySet.raising.admits(newest.mark) && !newest.value.endsSeries
    }

    /// Until when the series is surely not silent, if it reports again within `limit` of each sample.
    ///
    /// - Returns: Nil where it may be silent at `time`.
    func reportsUntil(at time: Timestamp, limit: Milliseconds, epoch: Int) -> Timestamp? {
        guard epoch == self.epoch, let newest = self.newest?.time else { return nil }
        if newest <= time { return newest + limit > time ? newest + limit : nil }
        guard let earlier = self.earlier, earlier <= time, earlier + limit > time else { return nil }
        return earlier + limit < newest ? earlier + limit : newest + limit
    }
}

/// What a formula carries on over a kept series.
struct CarriedFormula {
    /// Of which reading of the series.
    var reading = 0
    var state: SeriesFormula.State
}

/// The newest samples of the one series that a selector finds at a site, carried on from batch to batch.
///
/// Read from the store once, then each batch's own samples are added, so that a reading in its turn costs no reading of
/// the store. Whatever is not a new sample at the end of that very series (a revision, a late one, another series that
/// the selector may find, an import) lets go of it, and the next evaluation reads the store again.
final class KeptSeries {
    /// More samples than that are not kept.
    private static let capacity = 4096
    /// How often reading is tried again at most, in evaluations, where the selector finds no single plain series.
    private static let longestPatience = 64

    private var samples = SampleRing()
    private var lookback: Milliseconds = 0
    /// Whose samples these are; nil where none are kept.
    private var track: SeriesTrack?
    /// From then on evaluations find all they need.
    private var readFrom = Timestamp.distantPast
    /// Counts how often the samples were read anew.
    private var reading = 0
    private var patience = 0
    private var wait = 0
    /// The series of which samples have come that the selector may find.
    private var candidates: [SeriesTrack] = []
    /// Those of them that it does not find after all: their site is of another kind, as only the reader knows.
    private var strangers: [SeriesTrack] = []

    deinit { self.samples.deallocate() }

    /// Takes note of a sample that is in the store now.
    func add(_ sample: Sample, of track: SeriesTrack, reach: Milliseconds, clock: Timestamp) {
        let isNext =
            track === self.track && !sample.value.endsSeries && self.append(sample, reach: reach, clock: clock)
        guard !isNext else { return }
        self.drop()
        self.addCandidate(track)
    }

    private func addCandidate(_ track: SeriesTrack) {
        let isKnown = self.candidates.contains { $0 === track } || self.strangers.contains { $0 === track }
        if !isKnown { self.candidates.append(track) }
    }

    /// Whether none of the series that have reported is found.
    private var findsNothing: Bool { self.candidates.isEmpty && !self.strangers.isEmpty }

    /// - Returns: False where it is no sample at the end.
    private func append(_ sample: Sample, reach: Milliseconds, clock: Timestamp) -> Bool {
        guard let last = self.samples.last, self.samples.count < Self.capacity, last.time < sample.time else {
            return false
        }
        // One that rules do not look at may be followed by a better one for the same time.
        guard QualitySet.raising.admits(sample.mark) else { return true }
        // What no evaluation from the clock on looks at.
        let oldest = clock - reach - self.lookback
        while self.samples.count > 1, let first = self.samples.first, first.time <= oldest {
            self.samples.removeFirst()
            self.readFrom = max(self.readFrom, clock)
        }
        self.samples.append(sample)
        return true
    }

    /// Forgets all; the store has other series, too.
    func forget() {
        self.drop()
        self.candidates += self.strangers
        self.strangers.removeAll()
    }

    /// Forgets the samples; the store has others.
    private func drop() {
        guard let track = self.track else { return }
        self.samples.removeAll()
        self.track = nil
        self.addCandidate(track)
    }

    /// What `formula` says at a time; nil where the evaluator must say.
    func value(
        of formula: SeriesFormula,
        reach: Milliseconds,
        at time: Timestamp,
        site: String,
        _ carried: inout CarriedFormula,
        _ reader: () -> any SeriesReader
    ) throws -> SeriesFormula.Result? {
        if self.track == nil {
            if self.findsNothing { return SeriesFormula.Result() }
            guard self.wait == 0 else {
                self.wait -= 1
                return nil
            }
            try self.read(formula.matchers, reach, at: time, site: site, reader())
            if self.findsNothing { return SeriesFormula.Result() }
            guard self.track != nil else {
                self.patience = min(Self.longestPatience, 2 * self.patience + 1)
                self.wait = self.patience
                return nil
            }
            self.patience = 0
        }
        guard time >= self.readFrom else { return nil }
        if carried.reading != self.reading { carried = CarriedFormula(reading: self.reading, state: formula.newState) }
        let run = self.samples.run(lookback: self.lookback)
        return try formula.value(of: run, at: time, &carried.state, roundsComparisons: true)
    }

    /// Reads the series, where it is one stored series alone and its samples have been coming.
    private func read(
        _ matchers: [LabelMatcher],
        _ reach: Milliseconds,
        at time: Timestamp,
        site: String,
        _ reader: any SeriesReader
    ) throws {
        guard !self.candidates.isEmpty else { return }
        var request = SelectRequest(
            matchers: matchers,
            extent: .lookback(from: time, through: .distantFuture),
            qualities: .raising
        )
        var found = try reader.select(request)
        if found.isEmpty, self.candidates.allSatisfy({ $0.isReporting(at: time) }) {
            // None of them is in sight although all have just had a sample: none ever will be.
            self.strangers += self.candidates
            self.candidates.removeAll()
            return
        }
        guard found.count == 1, let lookback = found.first?.lookback else { return }
        request.extent = .window(after: time - reach - lookback, through: .distantFuture)
        found = try reader.select(request)
        guard found.count == 1, let columns = found.first, columns.nextChange == nil, !columns.hasStaleMarker,
            columns.times.count < Self.capacity / 2, columns.labels.site == site
        else { return }
        // Virtual labels hide which stored series this is. One that has just had a sample must be among what was found.
        let plain = columns.labels.removing(Site.virtualLabelNames)
        let track = self.candidates.first { track in
            guard let newest = track.newest, QualitySet.raising.admits(newest.mark) else { return false }
            return columns.times.last == newest.time && track.labels.removing(Site.virtualLabelNames) == plain
        }
        guard let track else { return }
        self.lookback = lookback
        self.samples.reserve(columns.times.count)
        for index in columns.times.indices {
            self.samples.append(
                Sample(time: columns.times[index], value: columns.values[index], mark: columns.marks[index])
            )
        }
        self.reading += 1
        self.track = track
        self.readFrom = time
        self.candidates.removeAll()
    }
}

/// Samples that are added at the end and let go of at the beginning, in memory of their own.
///
/// The newest lies beside the oldest: with many sites none of them is in a cache, and these two are looked at together.
private struct SampleRing {
    private var memory = UnsafeMutableBufferPointer<Sample>(start: nil, count: 0)
    private var head = 0
    private(set) var count = 0
    /// How many were let go of.
    private var base = 0

    var first: Sample? { self.count > 0 ? self.memory[self.head] : nil }
    var last: Sample? { self.count > 0 ? self.memory[self.place(self.count - 1)] : nil }

    private func place(_ index: Int) -> Int {
        let place = self.head + index
        return place < self.memory.count ? place : place - self.memory.count
    }

    /// Valid until samples come or go.
    func run(lookback: Milliseconds) -> SampleRun {
        SampleRun(
            UnsafeBufferPointer(self.memory),
            head: self.head,
            count: self.count,
            lookback: lookback,
            base: self.base
        )
    }

    mutating func append(_ sample: Sample) {
        if self.count == self.memory.count { self.grow() }
        self.memory.initializeElement(at: self.place(self.count), to: sample)
        self.count += 1
    }

    mutating func removeFirst() {
        self.head = self.place(1)
        self.count -= 1
        self.base += 1
    }

    mutating func removeAll() {
        self.base += self.count
        self.deallocate()
        self.memory = UnsafeMutableBufferPointer(start: nil, count: 0)
        self.head = 0
        self.count = 0
    }

    /// Little by little: room that is not used parts the newest from the oldest.
    private mutating func grow() { self.reserve(self.count + max(4, self.count / 16)) }

    mutating func reserve(_ capacity: Int) {
        let larger = UnsafeMutableBufferPointer<Sample>.allocate(capacity: max(capacity, self.count))
        for index in 0..<self.count { larger.initializeElement(at: index, to: self.memory[self.place(index)]) }
        self.memory.deallocate()
        self.memory = larger
        self.head = 0
    }

    /// Frees the memory; nothing may be asked of it any more.
    func deallocate() { self.memory.deallocate() }
}
