// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// Makes depths of the readings of rain counters.
///
/// A depth depends on the counter's reading and on the one before it and on nothing else, so that a message that comes
/// again, or a start from the store, gives the same depths. A late reading between two known ones splits the difference
/// that was stored: the one behind it is given out anew.
final class RainCounters: Sendable {
    /// What the counter showed: also while work was done on it, after which it goes on from there.
    private static let usable = QualitySet.raising.union(QualitySet(.missing))

    private let history: (any SeriesReader)?
    private let tracks = Mutex<[Labels: CounterTrack]>([:])

    /// - Parameter history: The store; without it nothing before the first reading is known.
    init(history: (any SeriesReader)?) {
        self.history = history
    }

    /// The depths that follow from a reading of a counter; its time is moved to one that is free where it had none.
    ///
    /// A reading that was taken while work was done on the device (`work`) counts as one from which the next one differs.
    /// Nothing where the reading is of no use, or the store cannot be read: the next one stands for both then.
    func depths(
        of reading: inout ResolvedReading,
        counter: RainCounter,
        work: [Outages.Span]
    ) -> [ResolvedReading] {
        guard Self.usable.admits(reading.sample.mark) else { return [] }
        let labels = reading.series.labels
        var sample = reading.sample
        let hasOwnTime = reading.hasOwnTime
        let depths = self.tracks.withLock { tracks -> [Sample] in
            var track: CounterTrack
            if let known = tracks[labels], !known.mayMiss(before: sample.time) {
                track = known
            } else {
                guard let read = self.track(labels, around: sample.time) else { return [] }
                track = read.joined(with: tracks[labels])
            }
            tracks[labels] = nil
            if !hasOwnTime { sample.time = track.free(from: sample.time) }
            let (before, after) = track.insert(sample)
            tracks[labels] = track
            return [counter.depth(from: before, to: sample, work: work)]
                + (after.map { [counter.depth(from: sample, to: $0, work: work)] } ?? [])
        }
        reading.sample = sample
        return depths.map { ResolvedReading(series: counter.depth, sample: $0, hasOwnTime: true) }
    }

    /// What the store holds of a counter from the reading before `time` on; nil when it cannot be read.
    private func track(_ labels: Labels, around time: Timestamp) -> CounterTrack? {
        guard let history else { return CounterTrack(samples: [], isCut: false) }
        let matchers = labels.matchers
        let spans: [Milliseconds] = [2 * .day, 60 * .day]
        for after in spans.map({ time - $0 }) + [.distantPast] {
            let request = SelectRequest(
                matchers: matchers,
                extent: .window(after: after, through: .distantFuture),
                qualities: Self.usable
            )
            guard let found = try? history.select(request) else { return nil }
            let samples = found.first { $0.labels == labels }?.samples ?? []
            guard after > .distantPast else { return CounterTrack(samples: samples, isCut: false) }
            if let first = samples.first, first.time < time { return CounterTrack(samples: samples, isCut: true) }
        }
        return nil
    }
}

extension CounterTrack {
    /// With what is known of readings that the store may not show yet.
    fileprivate func joined(with newer: CounterTrack?) -> CounterTrack {
        var joined = self
        for sample in newer?.samples ?? [] { _ = joined.insert(sample) }
        return joined
    }
}

extension SeriesColumns {
    fileprivate var samples: [Sample] {
        self.times.indices.map { Sample(time: self.times[$0], value: self.values[$0], mark: self.marks[$0]) }
    }
}
