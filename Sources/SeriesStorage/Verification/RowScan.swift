// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// Keys that cannot be reached because a page of their table cannot be read.
struct UnreadableRows: Sendable {
    /// The last key before them; nil where they are the first ones.
    let after: Int64?
    /// The first key behind them; nil where nothing behind them can be read.
    let before: Int64?
    let reason: String
}

/// The keys of a table's rows, also where SQLite cannot read some of its pages.
///
/// Pages are found by their keys. When a step fails, larger keys are tried until one is found behind the damage, and its
/// first neighbour is searched by halves, so that no more is left out than what lies on pages that cannot be read.
struct RowScan {
    let table: String
    /// The integer key: that of the rows, or the first column of the primary key.
    var key = "id"

    /// Keys in rising order; a key that occurs in several rows is given once.
    func keys(_ db: Database) throws -> (keys: [Int64], unreadable: [UnreadableRows]) {
        var keys: [Int64] = []
        var unreadable: [UnreadableRows] = []
        var next: Int64? = .min
        while let start = next {
            let reason: String
            do {
                let cursor = try Int64.fetchCursor(
                    db,
                    sql: "SELECT \(self.key) FROM \(self.table) WHERE \(self.key) >= ? ORDER BY \(self.key)",
                    arguments: [start]
                )
                while let key = try cursor.next() { if key != keys.last { keys.append(key) } }
                break
            } catch { reason = try String(describingUnreadable: error) }
            next = try self.firstReadable(db, after: max(keys.last ?? 0, max(start, 1) - 1))
            unreadable.append(UnreadableRows(after: keys.last, before: next, reason: reason))
        }
        return (keys, unreadable)
    }

    /// The first key behind those that cannot be read; nil where there is none.
    private func firstReadable(_ db: Database, after last: Int64) throws -> Int64? {
        var step: Int64 = 1
        var (fails, works): (Int64, Int64?) = (last, nil)
        while works == nil, step < 1 << 40 {
            switch try self.look(db, from: last + step) {
            case .row(let key): works = key
            case .end: works = last + step
            case .failed:
                fails = last + step
                step *= 2
            }
        }
        guard var works else { return nil }
        // Rows in between may be readable: the lowest start that works.
        while works - fails > 1 {
            let middle = fails + (works - fails) / 2
            switch try self.look(db, from: middle) {
            case .row, .end: works = middle
            case .failed: fails = middle
            }
        }
        guard case .row(let key) = try self.look(db, from: works) else { return nil }
        return key
    }

    private enum Look {
        case row(Int64)
        case end
        case failed
    }

    private func look(_ db: Database, from key: Int64) throws -> Look {
        do {
            let found = try Int64.fetchOne(
                db,
                sql: "SELECT \(self.key) FROM \(self.table) WHERE \(self.key) >= ? ORDER BY \(self.key) LIMIT 1",
                arguments: [key]
            )
            return found.map { .row($0) } ?? .end
        } catch {
            _ = try String(describingUnreadable: error)
            return .failed
        }
    }
}

extension String {
    /// What is wrong with a page or a blob; throws on what says nothing about the file, such as a lack of memory.
    init(describingUnreadable error: any Error) throws {
        switch error {
        case let error as DamagedBytes:
            self = "\(error.message), at byte \(error.offset)"
        case let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT:
            self = "is on a page that is damaged"
        case let error as DatabaseError where error.resultCode == .SQLITE_IOERR:
            self = "is on a page that the disk does not give (SQLite \(error.extendedResultCode.rawValue))"
        case let error as DatabaseError where error.resultCode == .SQLITE_NOTADB:
            self = "cannot be read: the file is no SQLite database"
        case let error as DatabaseError where error.resultCode == .SQLITE_ERROR:
            self = "cannot be read: \(error.message ?? "the schema is damaged")"
        default: throw error
        }
    }
}

extension DatabaseReader {
    /// Reads at one moment, also where pages are damaged: SQLite then refuses to end the transaction, too, which says
    /// nothing new.
    func readDamaged<Value>(_ body: (Database) throws -> Value) throws -> Value {
        var value: Value?
        do { try self.read { db in value = try body(db) } } catch {
            guard let value else { throw error }
            return value
        }
        guard let value else { throw StorageError(code: .other, message: "a transaction ended without a result") }
        return value
    }
}
