// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import Telemetry

/// Which series exist, by number, by labels and by each label; made for a million of them.
///
/// A series takes about 80 bytes where one of its labels is its own. Series are only ever added, so what a number
/// stands for never changes: that is read without a lock, and a query's moment is just the count that it saw. The lock
/// is held to find a text or to add a series, never while an expression is matched.
package final class LabelIndex: Sendable {
    private let state: Mutex<IndexState>
    private let reader: IndexReader
    /// How many series are complete; numbers up to it may be read without the lock.
    private let published = Atomic<UInt32>(0)

    package init() {
        let state = IndexState()
        self.reader = state.sharedReader
        self.state = Mutex(state)
    }

    /// How many series there are; their numbers are 1 to this.
    package var count: Int { Int(self.published.load(ordering: .acquiring)) }

    package func id(of labels: Labels) -> SeriesID? {
        let number = self.state.withLock { $0.series(labels) }
        return number == 0 ? nil : SeriesID(rawValue: number)
    }

    /// Gives the next number, or the one that the labels have already.
    ///
    /// Of texts that are equal in Swift but not in their bytes the first that came is kept.
    @discardableResult
    package func insert(_ labels: Labels) -> SeriesID {
        let number = self.state.withLock { state in
            let number = state.insert(labels)
            self.published.store(UInt32(state.seriesCount), ordering: .releasing)
            return number
        }
        return SeriesID(rawValue: number)
    }

    /// The same from the stored form of the labels, without a `String` on the way.
    ///
    /// - Throws: Where the bytes are not of the form of ``LabelsCodec``; nothing is added then.
    @discardableResult
    package func insert(packed bytes: [UInt8]) throws -> SeriesID {
        try self.insert(packed: bytes.span)
    }

    @discardableResult
    func insert(packed bytes: Span<UInt8>) throws(DamagedBytes) -> SeriesID {
        try bytes.withUnsafeBufferPointer { (bytes) throws(DamagedBytes) in
            guard let packed = try PackedTexts(bytes) else {
                return self.insert(try LabelsCodec.decode(Array(bytes)))
            }
            let number = self.state.withLock { state in
                let number = packed.withTexts { state.insert($0) }
                self.published.store(UInt32(state.seriesCount), ordering: .releasing)
                return number
            }
            return SeriesID(rawValue: number)
        }
    }

    /// The labels of a series; empty for a number never given.
    package func labels(of id: SeriesID) -> Labels {
        guard id.rawValue > 0, id.rawValue <= self.count else { return .empty }
        return self.reader.labels(of: id.rawValue)
    }

    /// The labels of a series in their stored form, as ``LabelsCodec`` has it.
    package func packedLabels(of id: SeriesID) -> [UInt8] {
        guard id.rawValue > 0, id.rawValue <= self.count else { return [0] }
        return self.reader.packedLabels(of: id.rawValue)
    }

    /// The series up to and including `limit` that match all of `matchers`, rising.
    package func matching(_ matchers: [LabelMatcher], below limit: SeriesID) -> [SeriesID] {
        let limit = min(limit.rawValue, UInt32(self.count))
        if limit == 0 { return [] }
        if let few = self.matchingFew(matchers, limit) { return few }
        var selection = SeriesSelection(matchers, limit: limit, reader: self.reader, index: self)
        return selection.run()
    }

    /// The names of all labels, each once, sorted.
    package func labelNames() -> [String] {
        self.texts { $0.nameList() }
    }

    /// The values of a label, each once, sorted.
    package func labelValues(of name: String) -> [String] {
        self.texts { state in
            let number = state.text(name, owner: 0)
            return number == 0 ? .empty : state.valueList(number)
        }
    }

    private func texts(_ list: (borrowing IndexState) -> NumberLists.Snapshot) -> [String] {
        let snapshot = self.state.withLock { list($0) }
        var result: [String] = []
        result.reserveCapacity(Int(snapshot.count))
        self.reader.lists.forEach(in: snapshot) { text in
            result.append(self.reader.string(of: text))
            return true
        }
        result.sort()
        return result
    }

    /// For ``SeriesSelection``: holds the lock for as long as `body` runs.
    func locked<Result: Sendable>(_ body: (borrowing IndexState) -> Result) -> Result {
        self.state.withLock { body($0) }
    }
}

// MARK: - A few series

extension LabelIndex {
    /// Up to so many candidates are looked at one by one.
    private static let few = 32

    /// The answer where an equality leaves a few series only; nil where none does.
    ///
    /// This is the metric at a site, which the rules ask for at every reading.
    private func matchingFew(_ matchers: [LabelMatcher], _ limit: UInt32) -> [SeriesID]? {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: matchers.count + 1) { numbers in
            let found: [SeriesID]? = self.state.withLock { state in
                var shortest: UInt32 = 0
                var least = Self.few + 1
                for index in matchers.indices {
                    let matcher = matchers[index]
                    numbers[index] = state.number(of: matcher)
                    guard matcher.operation == .equal, !matcher.value.isEmpty else { continue }
                    if numbers[index] == 0 { return [] }
                    let count = Int(state.seriesList(numbers[index]).count)
                    if count < least { (shortest, least) = (numbers[index], count) }
                }
                if shortest == 0 { return nil }
                var result: [SeriesID] = []
                self.reader.lists.forEach(in: state.seriesList(shortest)) { series in
                    if series > limit { return false }
                    for index in matchers.indices {
                        if numbers[index] == shortest, matchers[index].operation == .equal { continue }
                        guard self.holds(matchers[index], numbers[index], series) else { return true }
                    }
                    result.append(SeriesID(rawValue: series))
                    return true
                }
                return result
            }
            guard let found, !found.isEmpty, matchers.contains(where: \.isPattern) else { return found }
            return found.filter { id in
                matchers.allSatisfy { matcher in
                    guard matcher.isPattern else { return true }
                    return matcher.matches(self.reader.value(of: matcher.name, id.rawValue))
                }
            }
        }
    }

    /// Whether a series meets an equality or inequality; expressions come later, without the lock.
    @inline(__always)
    private func holds(_ matcher: LabelMatcher, _ number: UInt32, _ series: UInt32) -> Bool {
        switch (matcher.operation, matcher.value.isEmpty) {
        case (.equal, false): self.reader.has(number, series)
        case (.notEqual, false): number == 0 || !self.reader.has(number, series)
        case (.equal, true): self.reader.pair(of: number, series) == 0
        case (.notEqual, true): self.reader.pair(of: number, series) != 0
        case (.matches, _), (.notMatches, _): true
        }
    }
}

extension LabelMatcher {
    /// Whether it has to be asked for each text.
    @inline(__always)
    fileprivate var isPattern: Bool { self.operation == .matches || self.operation == .notMatches }
}

extension IndexState {
    /// Of an equality or inequality with a text the number of that value, with the empty text that of the name; zero
    /// where there is none, and for expressions.
    @inline(__always)
    fileprivate func number(of matcher: LabelMatcher) -> UInt32 {
        guard matcher.operation == .equal || matcher.operation == .notEqual else { return 0 }
        let name = self.text(matcher.name, owner: 0)
        if name == 0 || matcher.value.isEmpty { return name }
        return self.text(matcher.value, owner: name)
    }
}

extension IndexReader {
    /// The value of a label by its name's text, empty where there is none: for a few series.
    fileprivate func value(of name: String, _ series: UInt32) -> String {
        var result = ""
        self.forEachPair(of: series) { pair in
            if self.string(of: self.texts[pair].owner) == name { result = self.string(of: pair) }
        }
        return result
    }
}
