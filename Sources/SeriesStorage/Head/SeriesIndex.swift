// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Which series exist, by number, by labels and by each label (the postings).
struct SeriesIndex {
    /// By number; numbers begin at 1 and leave no gap.
    private var keys: [SeriesKey] = []
    private var numbers: [Labels: SeriesID] = [:]
    /// Label name → value → the series that have it, rising.
    private var postings: [String: [String: [SeriesID]]] = [:]

    var count: Int { self.keys.count }
    var nextID: SeriesID { SeriesID(rawValue: UInt32(self.keys.count + 1)) }

    func id(of labels: Labels) -> SeriesID? {
        self.numbers[labels]
    }

    /// The one key that stands for the series as long as the store is open; nil for a number never given.
    func key(of id: SeriesID) -> SeriesKey? {
        let index = Int(id.rawValue) - 1
        return self.keys.indices.contains(index) ? self.keys[index] : nil
    }

    /// Gives the next number to a key.
    mutating func insert(_ key: SeriesKey) -> SeriesID {
        let id = self.nextID
        self.keys.append(key)
        self.numbers[key.labels] = id
        for label in key.labels {
            self.postings[label.name, default: [:]][label.value, default: []].append(id)
        }
        return id
    }

    /// The series that match all of `matchers`.
    ///
    /// Starts from the shortest postings of an equality with a value, so that a metric at a site costs the series of
    /// that site, not of that metric.
    func matching(_ matchers: [LabelMatcher]) -> [SeriesID] {
        if let few = self.matchingFew(matchers) { return few }
        var lists: [[SeriesID]] = []
        var others: [LabelMatcher] = []
        for matcher in matchers {
            if matcher.operation == .equal, !matcher.value.isEmpty {
                guard let list = self.postings[matcher.name]?[matcher.value] else { return [] }
                lists.append(list)
            } else {
                others.append(matcher)
            }
        }
        guard let shortest = lists.indices.min(by: { lists[$0].count < lists[$1].count }) else {
            return self.filtered((0..<self.keys.count).map { SeriesID(rawValue: UInt32($0 + 1)) }, by: others)
        }
        var result = lists[shortest]
        for (index, list) in lists.enumerated() where index != shortest {
            result = result.filter { list.containsSorted($0) }
        }
        return others.isEmpty ? result : self.filtered(result, by: others)
    }

    /// The same where an equality leaves a few series only: a metric at a site, asked for at every reading.
    private func matchingFew(_ matchers: [LabelMatcher]) -> [SeriesID]? {
        for matcher in matchers where matcher.operation == .equal && !matcher.value.isEmpty {
            guard let list = self.postings[matcher.name]?[matcher.value] else { return [] }
            if list.count <= 8 { return self.filtered(list, by: matchers) }
        }
        return nil
    }

    private func filtered(_ ids: [SeriesID], by matchers: [LabelMatcher]) -> [SeriesID] {
        func matches(_ id: SeriesID) -> Bool {
            let labels = self.keys[Int(id.rawValue) - 1].labels
            return matchers.allSatisfy { $0.matches(labels) }
        }
        return ids.allSatisfy(matches) ? ids : ids.filter(matches)
    }
}

extension Array where Element: Comparable {
    /// The first index of a sorted array whose element is not less than `element`.
    @inline(__always)
    func lowerBound(_ element: Element) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The first index of a sorted array whose element is greater than `element`.
    @inline(__always)
    func upperBound(_ element: Element) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= element { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func containsSorted(_ element: Element) -> Bool {
        let index = self.lowerBound(element)
        return index < self.count && self[index] == element
    }
}
