// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Foundation
import Telemetry
import Testing

/// A folder that is gone afterwards, and a path for a store in it.
func withStorePath(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("poyang-catalog-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appendingPathComponent("catalog.db").path)
}

/// A new store for one test.
func withStore(_ body: (CatalogStore) throws -> Void) throws {
    try withStorePath { path in
        let store = try CatalogStore(path: path)
        try body(store)
        try store.close()
    }
}

/// A batch that touches every table, told by its position.
func fullBatch(_ position: Int64) -> ProcessedBatch {
    let time = Timestamp(milliseconds: 1_655_800_000_000 + position * 1000)
    let number = "2022-\(position)"
    return ProcessedBatch(
        position: JournalPosition(rawValue: position),
        alertStates: [AlertStateRow(key: AlertStateRow.Key(rule: "r", labels: "{}"), json: "\(position)")],
        removedAlertStates: [AlertStateRow.Key(rule: "gone", labels: "{}")],
        alertHistory: [
            AlertInterval(rule: "r", alertName: "\(position)", labels: "{}", activeAt: time, firedAt: time)
        ],
        clocks: [ClockRow(key: "xingzi", json: "\(position)")],
        warnings: [
            WarningRow(
                number: number,
                org: "o",
                site: "xingzi",
                hazard: "flood",
                status: "Actual",
                isActive: true,
                issuedAt: time,
                updatedAt: time,
                json: "\(position)"
            )
        ],
        counters: ["2022": position],
        feed: [
            FeedEntry(
                number: number,
                identifier: "poyang-\(number)-1",
                action: "issued",
                sentAt: time,
                json: "\(position)"
            )
        ],
        ledger: [
            LedgerFact(
                number: number,
                time: time,
                processedAt: time,
                kind: "issued",
                who: "poyang",
                what: "\(position)"
            )
        ]
    )
}

/// Whether every table stands at the same batch; returns its position.
func agreedPosition(_ store: CatalogStore) throws -> Int64 {
    let position = try store.processedPosition().rawValue
    let text = position == 0 ? nil : "\(position)"
    #expect(try store.alertStates().last?.json == text)
    #expect(try store.alertHistory(after: .distantPast, through: .distantFuture).last?.alertName == text)
    #expect(try store.clocks().last?.json == text)
    #expect(try store.warnings().last?.json == text)
    #expect(try store.counters()["2022"] == (position == 0 ? nil : position))
    #expect(try store.feed(after: 0, limit: 1_000_000).last?.entry.json == text)
    #expect(try store.feed(after: 0, limit: 1_000_000).count == Int(position))
    #expect(try store.verifyLedger().count == position)
    return position
}
