// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Finds the rows of one side of an operation by the labels that are matched on.
struct MatchTable {
    /// Up to this many rows are compared one by one, which is quicker than hashing.
    static let tiny = 8

    private let matching: VectorMatching
    private let labels: [Labels]
    private var places: [Labels: [Int]] = [:]

    init(_ labels: [Labels], _ matching: VectorMatching) {
        self.labels = labels
        self.matching = matching
        guard labels.count > Self.tiny else { return }
        self.places.reserveCapacity(labels.count)
        for (row, entry) in labels.enumerated() { self.places[self.signature(of: entry), default: []].append(row) }
    }

    /// The rows that agree with `labels`, in order.
    func partners(of labels: Labels) -> [Int] {
        if self.labels.count > Self.tiny { return self.places[self.signature(of: labels)] ?? [] }
        return self.labels.indices.filter { self.agree(self.labels[$0], labels) }
    }

    /// The groups of rows that agree with each other, of two rows at least.
    var crowds: [[Int]] {
        if self.labels.count > Self.tiny { return self.places.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] } }
        var crowds: [[Int]] = []
        for row in self.labels.indices {
            let partners = self.partners(of: self.labels[row])
            if partners.count > 1, partners[0] == row { crowds.append(partners) }
        }
        return crowds
    }

    func signature(of labels: Labels) -> Labels {
        if self.matching.isOn { return labels.keeping(self.matching.labels) }
        let unnamed = labels.removing(Labels.metricName)
        return self.matching.labels.isEmpty ? unnamed : unnamed.removing(self.matching.labels)
    }

    private func agree(_ left: Labels, _ right: Labels) -> Bool {
        if self.matching.isOn {
            for name in self.matching.labels where left.value(of: name) != right.value(of: name) { return false }
            return true
        }
        var leftIndex = left.startIndex
        var rightIndex = right.startIndex
        while true {
            while leftIndex < left.endIndex, self.isIgnored(left[leftIndex].name) { leftIndex += 1 }
            while rightIndex < right.endIndex, self.isIgnored(right[rightIndex].name) { rightIndex += 1 }
            let leftEnds = leftIndex == left.endIndex
            guard !leftEnds, rightIndex < right.endIndex else { return leftEnds && rightIndex == right.endIndex }
            guard left[leftIndex] == right[rightIndex] else { return false }
            leftIndex += 1
            rightIndex += 1
        }
    }

    /// Types and units of metrics are matched on, as in Prometheus, unless they are named.
    private func isIgnored(_ name: String) -> Bool {
        name == Labels.metricName || self.matching.labels.contains(name)
    }
}
