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
        /// The device that sent it; empty where it was found in the store.
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
        var tracks: [ObjectIdentifier: QualityTrack] = [:]
    }

    private let state = Mutex(State())

    package init() {}

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

    /// Remembers that a series without a declared channel exists; the first device that is named stays while it
    /// `isPresent`.
    ///
    /// - Returns: Whether the series is that of `device` now.
    func learn(_ series: SeriesKey, device: String, isPresent: (String) -> Bool = { _ in true }) -> Bool {
        let site = series.labels.site
        return self.state.withLock { state in
            guard let place = state.learned[site]?.places[series.labels] else {
                state.learned[site, default: LearnedSeries()].places[series.labels] = self.learned(state, site).count
                state.learned[site]?.all.append(Learned(series: series, device: device))
                return true
            }
            let owner = self.learned(state, site)[place].device
            guard owner.isEmpty || !isPresent(owner) else { return owner == device }
            state.learned[site]?.all[place] = Learned(series: series, device: device)
            return true
        }
    }

    func hasLearned(_ labels: Labels) -> Bool {
        self.state.withLock { $0.learned[labels.site]?.places[labels] != nil }
    }

    func learned(at site: String) -> [Learned] {
        self.state.withLock { self.learned($0, site) }
    }

    private func learned(_ state: State, _ site: String) -> [Learned] {
        state.learned[site]?.all ?? []
    }
}
