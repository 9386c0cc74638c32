// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// The tables of `samples.db`.
///
/// - `series`: number and labels (packed, ``LabelsCodec``). Numbers begin at 1, leave no gap and are never reused.
/// - `journal`: one row per committed batch (``JournalCodec``), trimmed by sealing.
/// - `block`: what opening needs to know of each block (``BlockCodec``): the chunks of neighbouring series of one shard.
///   A block never changes. Of two that hold the same time of a series, that of the later `generation` counts.
///   `position` is the journal position that its content covers.
/// - `block_data`: the bytes of a block, in a table of their own so that opening reads no more than it needs.
/// - `retired`: rows of `block_data` that no block names: a merge that is under way, or blocks that were replaced and may
///   still be read. The next opening removes them.
/// - `shard`: up to which position the journal is in the blocks, as far as the series of the shard go.
/// - `delivery`: the MQTT deliveries of one batch, each packet id u16 LE and hash u64 LE.
/// - `quarantine`: refused payloads, in rings; `counter`: totals that outlive the rings.
/// - `revision`: what a changed value was before.
/// - `bulk_import`: how far an import has come that was not finished.
/// - `state`: `sealed_through`, the position up to which the journal is in the blocks; `samples`, the distinct points in
///   the blocks; `series_per_shard`.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("2 blocks") { db in
            guard try !db.tableExists("chunk") else {
                throw StorageError(
                    code: .olderSchema,
                    message: "samples.db was written before the first release, in a form that is not read any more; "
                        + "move the data directory away and let devices send, or import, again"
                )
            }
            try db.execute(
                sql: """
                    CREATE TABLE series (id INTEGER PRIMARY KEY AUTOINCREMENT, labels BLOB NOT NULL);
                    CREATE TABLE journal (position INTEGER PRIMARY KEY, readings INTEGER NOT NULL, data BLOB NOT NULL);
                    CREATE TABLE block (
                        id INTEGER PRIMARY KEY,
                        shard INTEGER NOT NULL,
                        generation INTEGER NOT NULL,
                        position INTEGER NOT NULL,
                        first_series INTEGER NOT NULL,
                        last_series INTEGER NOT NULL,
                        first_time INTEGER NOT NULL,
                        last_time INTEGER NOT NULL,
                        chunks INTEGER NOT NULL,
                        samples INTEGER NOT NULL,
                        bytes INTEGER NOT NULL
                    );
                    CREATE TABLE block_data (id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL);
                    CREATE TABLE retired (id INTEGER PRIMARY KEY);
                    CREATE TABLE shard (id INTEGER PRIMARY KEY, sealed_through INTEGER NOT NULL);
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
                    CREATE TABLE bulk_import (
                        source TEXT PRIMARY KEY,
                        bytes INTEGER NOT NULL,
                        lines INTEGER NOT NULL,
                        stored INTEGER NOT NULL,
                        duplicates INTEGER NOT NULL,
                        revised INTEGER NOT NULL
                    ) WITHOUT ROWID;
                    CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
                    """
            )
        }
        return migrator
    }
}
