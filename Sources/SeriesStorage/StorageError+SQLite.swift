// poyang
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Telemetry

extension StorageError {
    /// Says what a failure of SQLite means for the operator; errors of ours pass through.
    ///
    /// - Parameters:
    ///   - error: What was thrown.
    ///   - path: The database file, for the message.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as StorageError:
            self = error
        case let error as DamagedBytes:
            self.init(
                code: .corrupt,
                message: "\(path): a stored blob \(error.message) at byte \(error.offset); "
                    + "restore the last backup, or move the file away and let the brokers and devices send again",
                cause: error
            )
        case let error as DamagedBlock:
            let whose = error.series.map { " of series \($0.rawValue)" } ?? ""
            self.init(
                code: .corrupt,
                message: "\(path): block \(error.id)\(whose) \(error.damage.message) at byte \(error.damage.offset); "
                    + "`poyang verify` names all that is damaged and saves the rest",
                cause: error
            )
        case let error as DatabaseError:
            let (code, message) = StorageError.meaning(of: error.resultCode)
            self.init(code: code, message: "\(path): \(message)", cause: error)
        default:
            self.init(code: .other, message: "\(path): the store failed", cause: error)
        }
    }

    private static func meaning(of result: ResultCode) -> (Code, String) {
        switch result {
        case .SQLITE_FULL:
            (.full, "the disk is full; free space or move the data directory, readings stay at the broker until then")
        case .SQLITE_READONLY:
            (
                .readOnly,
                "the file cannot be written; check the owner, the permissions and whether the disk is mounted "
                    + "read-only"
            )
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            (
                .corrupt,
                "the file is damaged, the disk does not give a part of it, or it is no SQLite database; look at the "
                    + "kernel's log (`dmesg`), let `poyang verify` name what is damaged and `poyang verify --salvage` "
                    + "save the rest, or restore the last backup (`poyang restore`)"
            )
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            (.busy, "another process holds the database; stop it (backup tools and the sqlite3 shell lock it, too)")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            (
                .cannotOpen,
                "the file cannot be opened or created; check that the directory exists and belongs to the "
                    + "service's user"
            )
        case .SQLITE_IOERR:
            (
                .inputOutput,
                "the disk reports an error; look at the kernel's log (`dmesg`) before you trust this disk "
                    + "again"
            )
        default:
            (.other, "SQLite refused the operation")
        }
    }
}
