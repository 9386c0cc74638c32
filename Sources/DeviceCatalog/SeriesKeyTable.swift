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

    private struct State {
        var keys: [Labels: SeriesKey] = [:]
        var learned: [String: [Learned]] = [:]
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
            var entries = state.learned[site] ?? []
            if let index = entries.firstIndex(where: { $0.series === series }) {
                let owner = entries[index].device
                guard owner.isEmpty || !isPresent(owner) else { return owner == device }
                entries[index] = Learned(series: series, device: device)
            } else {
                entries.append(Learned(series: series, device: device))
            }
            state.learned[site] = entries
            return true
        }
    }

    func hasLearned(_ labels: Labels) -> Bool {
        self.learned(at: labels.site).contains { $0.series.labels == labels }
    }

    func learned(at site: String) -> [Learned] {
        self.state.withLock { $0.learned[site] ?? [] }
    }
}
