// poyang
// SPDX-License-Identifier: Apache-2.0

internal import GRDB

/// The schema of `catalog.db`, as named steps that are only ever appended.
enum CatalogMigrations {
    static var all: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("0001 processed state") { database in
            try database.execute(
                sql: """
                    CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
                    CREATE TABLE processed (
                        id INTEGER PRIMARY KEY CHECK (id = 1),
                        position INTEGER NOT NULL
                    );
                    INSERT INTO processed (id, position) VALUES (1, 0);
                    CREATE TABLE alert_states (
                        rule TEXT NOT NULL, labels TEXT NOT NULL, json TEXT NOT NULL,
                        PRIMARY KEY (rule, labels)
                    ) WITHOUT ROWID;
                    CREATE TABLE clocks (key TEXT PRIMARY KEY NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
                    CREATE TABLE counters (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;
                    """
            )
        }
        migrator.registerMigration("0002 warnings, feed and ledger") { database in
            try database.execute(
                sql: """
                    CREATE TABLE warnings (
                        number TEXT PRIMARY KEY NOT NULL,
                        org TEXT NOT NULL, site TEXT NOT NULL, hazard TEXT NOT NULL, status TEXT NOT NULL,
                        active INTEGER NOT NULL,
                        issued_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
                        json TEXT NOT NULL
                    );
                    CREATE INDEX warnings_active ON warnings (active, issued_at);
                    CREATE INDEX warnings_site ON warnings (site, hazard);
                    CREATE TABLE feed (
                        seq INTEGER PRIMARY KEY AUTOINCREMENT,
                        number TEXT NOT NULL,
                        identifier TEXT NOT NULL UNIQUE,
                        action TEXT NOT NULL,
                        sent_at INTEGER NOT NULL,
                        json TEXT NOT NULL
                    );
                    CREATE INDEX feed_number ON feed (number);
                    CREATE INDEX feed_sent ON feed (sent_at);
                    CREATE TABLE ledger (
                        seq INTEGER PRIMARY KEY,
                        number TEXT NOT NULL,
                        time INTEGER NOT NULL, processed_at INTEGER NOT NULL,
                        kind TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
                        hash TEXT NOT NULL
                    );
                    CREATE INDEX ledger_number ON ledger (number);
                    CREATE TRIGGER ledger_keeps_facts BEFORE UPDATE ON ledger
                        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
                    CREATE TRIGGER ledger_keeps_rows BEFORE DELETE ON ledger
                        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
                    """
            )
        }
        migrator.registerMigration("0003 registry and tokens") { database in
            try database.execute(
                sql: """
                    CREATE TABLE registry (
                        kind TEXT NOT NULL, id TEXT NOT NULL,
                        json TEXT NOT NULL,
                        updated_at INTEGER NOT NULL, retired_at INTEGER,
                        PRIMARY KEY (kind, id)
                    ) WITHOUT ROWID;
                    CREATE TABLE tokens (
                        id TEXT PRIMARY KEY NOT NULL,
                        hash TEXT NOT NULL UNIQUE,
                        role TEXT NOT NULL, org TEXT, label TEXT NOT NULL,
                        created_at INTEGER NOT NULL, revoked_at INTEGER
                    ) WITHOUT ROWID;
                    """
            )
        }
        migrator.registerMigration("0004 alert history") { database in
            // What fires already is taken over; what ended before is only in the warnings.
            try database.execute(
                sql: """
                    CREATE TABLE alert_history (
                        id INTEGER PRIMARY KEY,
                        rule TEXT NOT NULL, alertname TEXT NOT NULL, labels TEXT NOT NULL,
                        active_at INTEGER NOT NULL, fired_at INTEGER NOT NULL, ended_at INTEGER,
                        UNIQUE (rule, labels, fired_at)
                    );
                    CREATE INDEX alert_history_ended ON alert_history (ended_at);
                    INSERT INTO alert_history (rule, alertname, labels, active_at, fired_at)
                        SELECT rule, json ->> '$.alertName', labels, json ->> '$.activeAt', json ->> '$.since'
                        FROM alert_states WHERE json ->> '$.state' IN ('firing', 'held', 'failed');
                    """
            )
        }
        migrator.registerMigration("0005 manual readings") { database in
            try database.execute(
                sql: """
                    CREATE TABLE manual_readings (
                        id INTEGER PRIMARY KEY,
                        site TEXT NOT NULL, series TEXT NOT NULL, time INTEGER NOT NULL, value REAL NOT NULL,
                        who TEXT NOT NULL, via TEXT NOT NULL, note TEXT NOT NULL, entered_at INTEGER NOT NULL,
                        replaced_value REAL, replaced_method TEXT,
                        stored INTEGER NOT NULL
                    );
                    CREATE INDEX manual_readings_site ON manual_readings (site, entered_at);
                    """
            )
        }
        migrator.registerMigration("0006 work on devices") { database in
            try database.execute(
                sql: """
                    CREATE TABLE maintenance (
                        id INTEGER PRIMARY KEY,
                        device TEXT NOT NULL, start_at INTEGER NOT NULL, end_at INTEGER NOT NULL,
                        who TEXT NOT NULL, via TEXT NOT NULL, note TEXT NOT NULL, entered_at INTEGER NOT NULL,
                        ended_by TEXT
                    );
                    CREATE INDEX maintenance_device ON maintenance (device, start_at);
                    CREATE TABLE calibrations (
                        id INTEGER PRIMARY KEY,
                        device TEXT NOT NULL, metric TEXT NOT NULL, time INTEGER NOT NULL,
                        before REAL NOT NULL, after REAL NOT NULL, reference REAL,
                        who TEXT NOT NULL, via TEXT NOT NULL, note TEXT NOT NULL, entered_at INTEGER NOT NULL
                    );
                    CREATE INDEX calibrations_device ON calibrations (device, time);
                    CREATE TABLE device_history (
                        id INTEGER PRIMARY KEY,
                        device TEXT NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL,
                        who TEXT NOT NULL, via TEXT NOT NULL
                    );
                    CREATE INDEX device_history_device ON device_history (device, time);
                    """
            )
        }
        migrator.registerMigration("0007 accounts of devices") { database in
            try database.execute(
                sql: """
                    CREATE TABLE credentials (
                        device TEXT PRIMARY KEY NOT NULL,
                        hash TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER, who TEXT NOT NULL
                    ) WITHOUT ROWID;
                    """
            )
        }
        migrator.registerMigration("0008 accounts of gateways") { database in
            try database.execute(sql: "ALTER TABLE credentials ADD COLUMN role TEXT NOT NULL DEFAULT 'device'")
        }
        migrator.registerMigration("0009 firmware of devices") { database in
            try database.execute(
                sql: """
                    CREATE TABLE firmware (
                        device TEXT PRIMARY KEY NOT NULL,
                        version TEXT NOT NULL, since INTEGER NOT NULL, own INTEGER NOT NULL
                    ) WITHOUT ROWID;
                    """
            )
        }
        migrator.registerMigration("0010 connections of devices") { database in
            try database.execute(
                sql: """
                    CREATE TABLE connections (
                        device TEXT PRIMARY KEY NOT NULL,
                        state TEXT NOT NULL, since INTEGER NOT NULL
                    ) WITHOUT ROWID;
                    """
            )
        }
        migrator.registerMigration("0011 owners of gained series") { database in
            try database.execute(
                sql: """
                    CREATE TABLE gained_series (
                        series TEXT PRIMARY KEY NOT NULL,
                        device TEXT NOT NULL, reported_depth INTEGER NOT NULL
                    ) WITHOUT ROWID;
                    """
            )
        }
        return migrator
    }
}
