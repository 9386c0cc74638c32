// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Telemetry

/// The refused payloads on disk: the newest of each device and the newest of all, the rest counted.
struct QuarantineRings {
    private var perDevice: [String: Int] = [:]
    private var total = 0

    init() {}

    init(loading db: Database) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT device, COUNT(*) FROM quarantine GROUP BY device")
        while let row = try rows.next() {
            let device: String = row[0]
            let count: Int = row[1]
            self.perDevice[device] = count
            self.total += count
        }
    }

    /// Writes payloads, drops the oldest beyond the limits and keeps the totals.
    mutating func insert(
        _ db: Database,
        _ payloads: [QuarantinedPayload],
        at position: JournalPosition,
        limits: SeriesStore.Limits
    ) throws {
        var dropped = 0
        var values: [QuarantineReason: Int] = [:]
        for payload in payloads {
            try self.insert(db, payload, at: position)
            for refusal in payload.refusals { values[refusal.reason, default: 0] += refusal.values }
            self.perDevice[payload.device, default: 0] += 1
            self.total += 1
            if self.perDevice[payload.device, default: 0] > limits.quarantinePerDevice {
                let sql = "DELETE FROM quarantine WHERE id = (SELECT MIN(id) FROM quarantine WHERE device = ?)"
                try db.cachedStatement(sql: sql).execute(arguments: [payload.device])
                self.forget(payload.device)
                dropped += 1
            }
            while self.total > limits.quarantineTotal {
                let sql = "DELETE FROM quarantine WHERE id = (SELECT MIN(id) FROM quarantine) RETURNING device"
                let device = try String.fetchAll(db.cachedStatement(sql: sql)).first
                guard let device else { break }
                self.forget(device)
                dropped += 1
            }
        }
        try self.count(db, "payloads", payloads.count)
        try self.count(db, "dropped", dropped)
        for (reason, count) in values { try self.count(db, "values." + reason.rawValue, count) }
    }

    /// Takes payloads out, of which nothing is refused any more.
    mutating func remove(_ db: Database, _ names: [QuarantinedName]) throws {
        for name in names {
            let sql = "DELETE FROM quarantine WHERE device = ? AND sha256 = ?"
            try db.cachedStatement(sql: sql).execute(arguments: [name.device, name.sha256])
            for _ in 0..<db.changesCount { self.forget(name.device) }
        }
    }

    /// Takes payloads out whose values are stored now; the totals of what was refused stay.
    mutating func remove(_ db: Database, numbers: [Int64]) throws {
        for id in numbers {
            let sql = "DELETE FROM quarantine WHERE id = ? RETURNING device"
            let device = try String.fetchAll(db.cachedStatement(sql: sql), arguments: [id]).first
            if let device { self.forget(device) }
        }
    }

    private mutating func forget(_ device: String) {
        self.total -= 1
        self.perDevice[device] = self.perDevice[device].flatMap { $0 > 1 ? $0 - 1 : nil }
    }

    private func insert(_ db: Database, _ payload: QuarantinedPayload, at position: JournalPosition) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO quarantine (position, received_at, topic, device, length, sha256, refusals, payload)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        .execute(arguments: [
            position.rawValue, payload.receivedAt.milliseconds, payload.topic, payload.device, payload.length,
            payload.sha256, Data(RefusalCodec.encode(payload.refusals)), Data(payload.payload),
        ])
    }

    private func count(_ db: Database, _ name: String, _ value: Int) throws {
        guard value > 0 else { return }
        let sql = """
            INSERT INTO counter (name, value) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET value = value + excluded.value
            """
        try db.cachedStatement(sql: sql).execute(arguments: ["quarantine." + name, value])
    }
}

/// The packed form of refusals, version 1: version u8, count varint, then each reason text, detail text, has-key u8,
/// key text, values varint; CRC-32 of all before it.
enum RefusalCodec {
    static let version: UInt8 = 1

    static func encode(_ refusals: [Refusal]) -> [UInt8] {
        var writer = ByteWriter(capacity: 128)
        writer.byte(self.version)
        writer.count(refusals.count)
        for refusal in refusals {
            writer.text(refusal.reason.rawValue)
            writer.text(refusal.detail)
            writer.byte(refusal.key == nil ? 0 : 1)
            writer.text(refusal.key ?? "")
            writer.count(refusal.values)
        }
        writer.fixed(CRC32.checksum(writer.bytes.span))
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(DamagedBytes) -> [Refusal] {
        var reader = try ByteReader(checking: bytes, version: self.version)
        var refusals: [Refusal] = []
        for _ in 0..<(try reader.count(ofSize: 5)) {
            guard let reason = QuarantineReason(rawValue: try reader.text()) else {
                throw reader.damaged("names an unknown reason")
            }
            let detail = try reader.text()
            let hasKey = try reader.byte() == 1
            let key = try reader.text()
            let values = Int(truncatingIfNeeded: try reader.varint())
            refusals.append(Refusal(reason: reason, detail: detail, key: hasKey ? key : nil, values: values))
        }
        return refusals
    }
}
