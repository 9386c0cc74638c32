// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB
import GRDBSQLite
import Synchronization

/// How much of the WAL is in use: its file does not shrink when it begins afresh, and so says nothing.
final class WALPages: Sendable {
    private let pages = Atomic<Int>(0)

    /// In bytes, without the headers of the pages.
    var bytes: Int { self.pages.load(ordering: .relaxed) * 4096 }

    /// All of it is in the database file; the next commit begins it afresh.
    func noteEmpty() { self.pages.store(0, ordering: .relaxed) }

    /// Is told of every commit of a connection from now on (https://sqlite.org/c3ref/wal_hook.html).
    ///
    /// Takes the place of SQLite's own automatic checkpoints. It must outlive the connection.
    func follow(_ connection: Database) {
        sqlite3_wal_hook(
            connection.sqliteConnection,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                Unmanaged<WALPages>.fromOpaque(context).takeUnretainedValue().pages
                    .store(Int(pages), ordering: .relaxed)
                return SQLITE_OK
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }
}
