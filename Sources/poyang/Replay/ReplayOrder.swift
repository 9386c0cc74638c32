// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The messages of several recordings in one order.
struct ReplayOrder {
    private let files: [RecordedFile]
    /// The next row of each file.
    private var heads: [RecordedRow?]
    private let isMerged: Bool
    private var pending: [ReplayMessage] = []

    /// Merged: rows come in the order of event time over all files; else one file comes after the other.
    init(_ files: [RecordedFile], merged: Bool) throws {
        self.files = files
        self.isMerged = merged
        self.heads = try files.map { try $0.next() }
    }

    mutating func next() throws -> ReplayMessage? {
        while self.pending.isEmpty {
            guard let index = self.nextFile(), let row = self.heads[index] else { return nil }
            self.heads[index] = try self.files[index].next()
            self.pending = ReplayMessage.messages(of: row, map: self.files[index].map).reversed()
        }
        return self.pending.removeLast()
    }

    private func nextFile() -> Int? {
        var best: (index: Int, time: Timestamp)?
        for (index, head) in self.heads.enumerated() {
            guard let head else { continue }
            if !self.isMerged { return index }
            if best.map({ head.time < $0.time }) ?? true { best = (index, head.time) }
        }
        return best?.index
    }
}
