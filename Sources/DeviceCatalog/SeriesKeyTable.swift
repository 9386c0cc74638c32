// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import Telemetry

/// The one ``SeriesKey`` of every label set, shared by all snapshots of the catalogue.
///
/// The store finds a series' number by the key's identity, so a key must outlive a reload of the files.
package final class SeriesKeyTable: Sendable {
    /// A series of a device that takes any metric: it exists from its first reading on.
    struct Learned: Sendable {
        let series: SeriesKey
        /// The device that sent it; empty where it was found in the store and is nobody's yet.
        let device: String
    }

    /// Those of a site, in the order in which they were seen first.
    private struct LearnedSeries {
        var all: [Learned] = []
        var places: [Labels: Int] = [:]
    }

    private struct State {
        var keys: [Labels: SeriesKey] = [:]
        var learned: [String: LearnedSeries] = [:]
        var gained: [Labels: GainedSeries] = [:]
        var unsaved: Set<Labels> = []
        var tracks: [ObjectIdentifier: QualityTrack] = [:]

        /// Adds to what is known of a site, or puts it in the place of what was known of the series.
        mutating func put(_ series: Learned) {
            let labels = series.series.labels
            var site = self.learned[labels.site] ?? LearnedSeries()
            self.learned[labels.site] = nil
            if let place = site.places[labels] {
                site.all[place] = series
            } else {
                site.places[labels] = site.all.count
                site.all.append(series)
            }
            self.learned[labels.site] = site
        }
    }

    private let state: Mutex<State>
    /// Held while something is written, so that nobody who gained a series goes on before it is.
    private let saving = Mutex(())

    /// - Parameter gained: Whose series are that were there before the start.
    package init(gained: [GainedSeries] = []) {
        var state = State()
        for series in gained { state.gained[series.labels] = series }
        self.state = Mutex(state)
    }

    /// The key of a label set, which has the metric name among its labels; made on first use.
    package func key(for labels: Labels) -> SeriesKey {
        self.state.withLock { state in
            if let key = state.keys[labels] { return key }
            let key = SeriesKey(labels: labels)
            state.keys[labels] = key
            return key
        }
    }

    /// What the tests of a series remember; made on first use.
    ///
    /// The key is one of this table.
    func track(of series: SeriesKey) -> QualityTrack {
        self.state.withLock { state in
            if let track = state.tracks[ObjectIdentifier(series)] { return track }
            let track = QualityTrack(series: series)
            state.tracks[ObjectIdentifier(series)] = track
            return track
        }
    }

    /// Remembers that a series without a declared channel exists, which the store holds.
    func learn(_ series: SeriesKey) {
        self.state.withLock { state in
            guard state.learned[series.labels.site]?.places[series.labels] == nil else { return }
            state.put(Learned(series: series, device: state.gained[series.labels]?.device ?? ""))
        }
    }

    /// Gives a series without a declared channel to the first device that asks for it, for as long as that one
    /// `isPresent`.
    ///
    /// - Returns: Whether the series is that of `device` now.
    func gain(_ series: SeriesKey, device: String, isPresent: (String) -> Bool = { _ in true }) -> Bool {
        self.state.withLock { state in
            if let owner = state.gained[series.labels]?.device, owner != device {
                guard !isPresent(owner) else { return false }
                state.gained[series.labels] = nil
            }
            if state.gained[series.labels] == nil {
                state.gained[series.labels] = GainedSeries(labels: series.labels, device: device)
                state.unsaved.insert(series.labels)
            }
            state.put(Learned(series: series, device: device))
            return true
        }
    }

    /// Gives the series that a device has gained to the one in its place; those that bear its id end with it.
    package func handOver(from old: String, to new: String) {
        self.state.withLock { state in
            for (labels, gained) in state.gained where gained.device == old && labels.plain(ofTwin: old) == labels {
                state.gained[labels]?.device = new
                state.unsaved.insert(labels)
                guard let site = state.learned[labels.site], let place = site.places[labels] else { continue }
                state.put(Learned(series: site.all[place].series, device: new))
            }
        }
    }

    /// Notes that whoever gained a series of depths of rain reports them itself: no counter is to yield them, too.
    func noteReported(_ depths: Labels) {
        self.state.withLock { state in
            guard state.gained[depths]?.isReportedDepth == false else { return }
            state.gained[depths]?.isReportedDepth = true
            state.unsaved.insert(depths)
        }
    }

    /// The device that reports depths of rain itself; nil where they follow from a counter, or are declared.
    func reporter(of depths: Labels) -> String? {
        self.state.withLock { $0.gained[depths].flatMap { $0.isReportedDepth ? $0.device : nil } }
    }

    /// Gives `write` what was gained and is not on disk, if anything.
    ///
    /// Who stores readings calls it before: a series of which a value is stored has an owner after every start.
    ///
    /// - Throws: What `write` throws; it is tried again with the next call.
    package func save(_ write: ([GainedSeries]) throws -> Void) throws {
        try self.saving.withLock { _ in
            let gained = self.state.withLock { state in state.unsaved.compactMap { state.gained[$0] } }
            guard !gained.isEmpty else { return }
            try write(gained)
            self.state.withLock { state in
                for series in gained where state.gained[series.labels] == series { state.unsaved.remove(series.labels) }
            }
        }
    }

    func hasLearned(_ labels: Labels) -> Bool {
        self.state.withLock { $0.learned[labels.site]?.places[labels] != nil }
    }

    func learned(at site: String) -> [Learned] {
        self.state.withLock { $0.learned[site]?.all ?? [] }
    }
}
