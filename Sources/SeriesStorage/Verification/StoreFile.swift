// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB

/// A database file that no process writes.
enum StoreFile {
    /// Opens a file without changing it.
    ///
    /// Where nothing waits in the write-ahead log, the file is opened as one that does not change, so that a read-only
    /// disk will do.
    static func openForReading(_ path: String) throws -> DatabaseQueue {
        guard FileManager.default.isReadableFile(atPath: path) else {
            let isThere = FileManager.default.fileExists(atPath: path)
            throw StorageError(
                code: .cannotOpen,
                message: isThere
                    ? "\(path) cannot be read; check its owner and its permissions" : "there is no file \(path)"
            )
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.label = "verification"
        let isAlone = SeriesStore.fileSize(path + "-wal") == 0
        let escaped = URL(filePath: path).absoluteString
        return try DatabaseQueue(
            path: escaped + (isAlone ? "?mode=ro&immutable=1" : "?mode=ro"),
            configuration: configuration
        )
    }

    /// Flushes a file that was written and closed.
    static func flush(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StorageError(
                code: .inputOutput,
                message: "\(path) cannot be opened: \(String(cString: strerror(errno)))"
            )
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw StorageError(
                code: errno == ENOSPC ? .full : .inputOutput,
                message: "\(path) cannot be flushed: \(String(cString: strerror(errno)))"
            )
        }
    }
}
