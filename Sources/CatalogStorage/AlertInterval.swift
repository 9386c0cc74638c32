// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB
package import Telemetry

/// From when to when one alert fired, held or not; event times.
package struct AlertInterval: Hashable, Sendable {
    package var rule: String
    package var alertName: String
    /// As in ``AlertStateRow/Key/labels``.
    package var labels: String
    /// Since when the expression held: it was pending from then until it fired.
    package var activeAt: Timestamp
    package var firedAt: Timestamp
    /// Nil while it fires.
    package var endedAt: Timestamp?
    /// Since when it was said to fire before readings that came late showed otherwise: that interval is no more.
    package var withdraws: Timestamp?
    /// It never fired: nothing takes the place of what is withdrawn.
    package var isRetracted: Bool

    package init(
        rule: String,
        alertName: String,
        labels: String,
        activeAt: Timestamp,
        firedAt: Timestamp,
        endedAt: Timestamp? = nil,
        withdraws: Timestamp? = nil,
        isRetracted: Bool = false
    ) {
        self.rule = rule
        self.alertName = alertName
        self.labels = labels
        self.activeAt = activeAt
        self.firedAt = firedAt
        self.endedAt = endedAt
        self.withdraws = withdraws
        self.isRetracted = isRetracted
    }
}

extension CatalogStore {
    /// The intervals, pending time included, that have a part after one moment and not after another, oldest first.
    ///
    /// - Parameters:
    ///   - after: They end later.
    ///   - through: They begin no later.
    ///   - name: Of the alerts; nil for all.
    /// - Returns: The intervals in the order in which they were stored first.
    /// - Throws: When the store cannot be read.
    package func alertHistory(after: Timestamp, through: Timestamp, name: String? = nil) throws -> [AlertInterval] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM alert_history
                    WHERE (ended_at IS NULL OR ended_at > :after) AND active_at <= :through
                        AND (:name IS NULL OR alertname = :name)
                    ORDER BY id
                    """,
                arguments: ["after": after.milliseconds, "through": through.milliseconds, "name": name]
            )
            .map(AlertInterval.init(row:))
        }
    }
}

extension Database {
    /// Stores what is known of intervals: those of the same rule, labels and beginning are one.
    func record(_ intervals: [AlertInterval], keeping limit: Int64) throws {
        guard !intervals.isEmpty else { return }
        let upsert = try self.cachedStatement(
            sql: """
                INSERT INTO alert_history (rule, alertname, labels, active_at, fired_at, ended_at)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (rule, labels, fired_at) DO UPDATE SET ended_at = excluded.ended_at
                """
        )
        // One alert fires once at a time.
        let close = try self.cachedStatement(
            sql: """
                UPDATE alert_history SET ended_at = max(fired_at, ?)
                WHERE rule = ? AND labels = ? AND ended_at IS NULL AND fired_at <= ?
                """
        )
        let withdraw = try self.cachedStatement(
            sql: "DELETE FROM alert_history WHERE rule = ? AND labels = ? AND fired_at = ?"
        )
        for interval in intervals {
            if let moment = interval.withdraws {
                try withdraw.execute(arguments: [interval.rule, interval.labels, moment.milliseconds])
            }
            if interval.isRetracted { continue }
            try upsert.execute(arguments: [
                interval.rule, interval.alertName, interval.labels, interval.activeAt.milliseconds,
                interval.firedAt.milliseconds, interval.endedAt.map { max($0, interval.firedAt).milliseconds },
            ])
            if let end = interval.endedAt {
                try close.execute(arguments: [end.milliseconds, interval.rule, interval.labels, end.milliseconds])
            }
        }
        let forget = try self.cachedStatement(
            sql: """
                DELETE FROM alert_history
                WHERE id <= (SELECT max(id) FROM alert_history) - ? AND ended_at IS NOT NULL
                """
        )
        try forget.execute(arguments: [limit])
    }
}

extension AlertInterval {
    fileprivate init(row: Row) {
        let end: Int64? = row["ended_at"]
        self.init(
            rule: row["rule"],
            alertName: row["alertname"],
            labels: row["labels"],
            activeAt: Timestamp(milliseconds: row["active_at"]),
            firedAt: Timestamp(milliseconds: row["fired_at"]),
            endedAt: end.map { Timestamp(milliseconds: $0) }
        )
    }
}
