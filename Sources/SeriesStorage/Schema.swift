// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The tables of `samples.db`.
///
/// - `series`: number and labels (packed, ``LabelsCodec``). Numbers are never reused.
/// - `journal`: one row per committed batch (``JournalCodec``), trimmed by sealing.
/// - `chunk`: samples of one series (``ChunkCodec``) with their statistics. A closed chunk never changes and is never
///   replaced; of two that hold the same time the one with the higher `id` counts. A series has at most one open chunk
///   (`is_open`), which the next sealing replaces; the head holds its samples as long as the store is open.
///   `fresh` counts the samples whose time no older chunk of the series has. `minimum` … `last_value` leave NaN out as
///   NULL; `qualities` is the union of the flags, bit n for flag n: the statistics answer a query only if it admits all.
/// - `delivery`: the MQTT deliveries of one batch, each packet id u16 LE and hash u64 LE.
/// - `quarantine`: refused payloads, in rings; `counter`: totals that outlive the rings.
/// - `revision`: what a changed value was before.
/// - `state`: `sealed_through`, the position up to which the journal is in the chunks.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 journal, chunks, quarantine") { db in
            try db.execute(
                sql: """
                    CREATE TABLE series (id INTEGER PRIMARY KEY AUTOINCREMENT, labels BLOB NOT NULL);
                    CREATE TABLE journal (position INTEGER PRIMARY KEY, readings INTEGER NOT NULL, data BLOB NOT NULL);
                    CREATE TABLE chunk (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        series INTEGER NOT NULL,
                        is_open INTEGER NOT NULL,
                        is_import INTEGER NOT NULL,
                        position INTEGER NOT NULL,
                        first_time INTEGER NOT NULL,
                        last_time INTEGER NOT NULL,
                        count INTEGER NOT NULL,
                        fresh INTEGER NOT NULL,
                        qualities INTEGER NOT NULL,
                        minimum REAL,
                        maximum REAL,
                        sum REAL,
                        first_value REAL,
                        last_value REAL,
                        data BLOB NOT NULL
                    );
                    CREATE TABLE delivery (position INTEGER PRIMARY KEY, count INTEGER NOT NULL, data BLOB NOT NULL);
                    CREATE TABLE quarantine (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        position INTEGER NOT NULL,
                        received_at INTEGER NOT NULL,
                        topic TEXT NOT NULL,
                        device TEXT NOT NULL,
                        length INTEGER NOT NULL,
                        sha256 TEXT NOT NULL,
                        refusals BLOB NOT NULL,
                        payload BLOB NOT NULL
                    );
                    CREATE INDEX quarantine_device ON quarantine (device, id);
                    CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
                    CREATE TABLE revision (
                        series INTEGER NOT NULL,
                        time INTEGER NOT NULL,
                        position INTEGER NOT NULL,
                        ordinal INTEGER NOT NULL,
                        old_value REAL,
                        old_mark INTEGER NOT NULL,
                        new_value REAL,
                        PRIMARY KEY (series, time, position, ordinal)
                    ) WITHOUT ROWID;
                    CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
                    """
            )
        }
        return migrator
    }
}
