// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The groups of one aggregation, kept over the steps of a query: mostly the same series stand at the same place of
/// the next step's vector, and their group need not be looked up.
final class GroupTable {
    /// The labels of the groups.
    private(set) var keys: [Labels] = []
    private var rows: [Labels: Int] = [:]
    /// What stood at each place of the last vector, and its group.
    private var seen: [(labels: Labels, row: Int)] = []

    /// The group of the element at a place of the vector; new where no element had its key.
    func row(of labels: Labels, at place: Int, key: (Labels) -> Labels) -> Int {
        if place < self.seen.count, self.seen[place].labels == labels { return self.seen[place].row }
        let key = key(labels)
        let row: Int
        if let known = self.rows[key] {
            row = known
        } else {
            row = self.keys.count
            self.rows[key] = row
            self.keys.append(key)
        }
        if place < self.seen.count {
            self.seen[place] = (labels, row)
        } else if place == self.seen.count {
            self.seen.append((labels, row))
        }
        return row
    }
}
