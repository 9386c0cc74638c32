// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Finds the series that match, where they may be many.
///
/// Begins with the condition that leaves the fewest series and filters them by the others, the dear ones last. No text
/// is looked at but those that an expression has to be asked for, each once.
struct SeriesSelection {
    /// Where the candidates come from.
    private enum Source {
        case all
        /// The series of these values; the condition at that place is met by them.
        case values([UInt32], met: Int)
    }

    /// While the lock is held, so many lists are looked up.
    private static let slice = 4096

    private let limit: UInt32
    private let reader: IndexReader
    private let index: LabelIndex
    private var conditions: [SeriesCondition] = []
    private var isImpossible = false

    init(_ matchers: [LabelMatcher], limit: UInt32, reader: IndexReader, index: LabelIndex) {
        self.limit = limit
        self.reader = reader
        self.index = index
        for matcher in matchers {
            switch SeriesCondition.resolve(matcher, in: index, reader: reader) {
            case .always: continue
            case .never: self.isImpossible = true
            case .when(let condition): self.conditions.append(condition)
            }
        }
    }

    mutating func run() -> [SeriesID] {
        if self.isImpossible { return [] }
        let source = self.source()
        var result: [SeriesID]
        switch source {
        case .all:
            let limit = self.limit
            result = [SeriesID](unsafeUninitializedCapacity: Int(limit)) { buffer, count in
                for number in 1...limit {
                    buffer.initializeElement(at: Int(number) - 1, to: SeriesID(rawValue: number))
                }
                count = Int(limit)
            }
        case .values(let values, let met):
            result = self.series(of: values)
            self.conditions.remove(at: met)
        }
        for condition in self.conditions.sorted(by: { $0.cost < $1.cost }) where !result.isEmpty {
            condition.filter(&result, reader: self.reader)
        }
        return result
    }

    // MARK: The fewest

    private mutating func source() -> Source {
        var best = Source.all
        var least = Int(self.limit)
        for (place, condition) in self.conditions.enumerated() {
            guard let values = condition.knownValues else { continue }
            let count = self.lists(values).reduce(0) { $0 + Int($1.count) }
            if count < least { (best, least) = (.values(values, met: place), count) }
        }
        // Expressions are asked for all values of their name where these are fewer than the candidates so far.
        for place in self.conditions.indices {
            guard let name = self.conditions[place].expandableName else { continue }
            let list = self.index.locked { $0.valueList(name) }
            guard Int(list.count) < least / 2 else { continue }
            var values: [UInt32] = []
            self.reader.lists.forEach(in: list) { value in
                if self.conditions[place].admits(value, reader: self.reader) { values.append(value) }
                return true
            }
            let count = self.lists(values).reduce(0) { $0 + Int($1.count) }
            if count < least { (best, least) = (.values(values, met: place), count) }
        }
        return best
    }

    private func lists(_ values: [UInt32]) -> [NumberLists.Snapshot] {
        var result: [NumberLists.Snapshot] = []
        result.reserveCapacity(values.count)
        var start = 0
        while start < values.count {
            let part = values[start..<min(start + Self.slice, values.count)]
            result += self.index.locked { state in part.map { state.seriesList($0) } }
            start += Self.slice
        }
        return result
    }

    /// The series of values of one name, rising: no series has two of them.
    private func series(of values: [UInt32]) -> [SeriesID] {
        let lists = self.lists(values)
        let total = lists.reduce(0) { $0 + Int($1.count) }
        var result: [SeriesID] = []
        guard lists.count > 1, total > Int(self.limit) / 64 else {
            result.reserveCapacity(total)
            for list in lists { self.each(of: list) { result.append(SeriesID(rawValue: $0)) } }
            if lists.count > 1 { result.sort() }
            return result
        }
        var bits = [UInt64](repeating: 0, count: Int(self.limit) / 64 + 1)
        for list in lists { self.each(of: list) { bits[Int($0 >> 6)] |= 1 << UInt64($0 & 63) } }
        result.reserveCapacity(total)
        for (place, word) in bits.enumerated() {
            var rest = word
            while rest != 0 {
                result.append(SeriesID(rawValue: UInt32(place * 64 + rest.trailingZeroBitCount)))
                rest &= rest - 1
            }
        }
        return result
    }

    @inline(__always)
    private func each(of list: NumberLists.Snapshot, _ body: (UInt32) -> Void) {
        let limit = self.limit
        self.reader.lists.forEach(in: list) { series in
            if series > limit { return false }
            body(series)
            return true
        }
    }
}
