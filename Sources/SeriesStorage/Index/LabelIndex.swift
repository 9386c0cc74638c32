// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

/// Which series exist, by number, by labels and by each label.
final class LabelIndex: Sendable {
    private struct State {
        var keys: [SeriesKey] = []
        var numbers: [Labels: SeriesID] = [:]
    }

    private let state = Mutex(State())

    /// How many series there are; their numbers are 1 to this.
    var count: Int { self.state.withLock { $0.keys.count } }

    func id(of labels: Labels) -> SeriesID? {
        self.state.withLock { $0.numbers[labels] }
    }

    /// Gives the next number, or the one that the labels have already.
    @discardableResult
    func insert(_ labels: Labels) -> SeriesID {
        self.state.withLock { state in
            if let known = state.numbers[labels] { return known }
            state.keys.append(SeriesKey(labels: labels))
            let id = SeriesID(rawValue: UInt32(state.keys.count))
            state.numbers[labels] = id
            return id
        }
    }

    /// The same from the stored form of the labels.
    ///
    /// - Throws: Where the bytes are not of the form of ``LabelsCodec``.
    @discardableResult
    func insert(packed bytes: [UInt8]) throws(DamagedBytes) -> SeriesID {
        self.insert(try LabelsCodec.decode(bytes))
    }

    /// The one object that stands for the series while anybody holds it; nil for a number never given.
    func key(of id: SeriesID) -> SeriesKey? {
        let index = Int(id.rawValue) - 1
        return self.state.withLock { $0.keys.indices.contains(index) ? $0.keys[index] : nil }
    }

    /// Lets a key that somebody else made stand for the series.
    func adopt(_ key: SeriesKey, _ id: SeriesID) {
        let index = Int(id.rawValue) - 1
        self.state.withLock { if $0.keys.indices.contains(index) { $0.keys[index] = key } }
    }

    /// The labels of a series; empty for a number never given.
    func labels(of id: SeriesID) -> Labels {
        self.key(of: id)?.labels ?? .empty
    }

    /// The labels of a series in their stored form, as ``LabelsCodec`` has it.
    func packedLabels(of id: SeriesID) -> [UInt8] {
        LabelsCodec.encode(self.labels(of: id))
    }

    /// The series up to and including `limit` that match all of `matchers`, rising.
    func matching(_ matchers: [LabelMatcher], below limit: SeriesID) -> [SeriesID] {
        let keys = self.state.withLock { $0.keys }
        return (1...UInt32.max).prefix(min(keys.count, Int(limit.rawValue))).map { SeriesID(rawValue: $0) }
            .filter { id in matchers.allSatisfy { $0.matches(keys[Int(id.rawValue) - 1].labels) } }
    }

    /// The names of all labels, each once, sorted.
    func labelNames() -> [String] {
        Set(self.state.withLock { $0.keys }.flatMap { $0.labels.map(\.name) }).sorted()
    }

    /// The values of a label, each once, sorted.
    func labelValues(of name: String) -> [String] {
        Set(self.state.withLock { $0.keys }.compactMap { $0.labels.value(of: name) }).sorted()
    }
}
