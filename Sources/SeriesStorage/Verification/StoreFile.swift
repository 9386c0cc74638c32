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
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - ignoresLog: Leave the write-ahead log aside: where it is damaged, and a checkpoint had brought what it held
    ///     into the file before.
    /// - Returns: A connection that reads.
    /// - Throws: ``StorageError`` `cannotOpen`, or what SQLite says.
    static func openForReading(_ path: String, ignoresLog: Bool = false) throws -> DatabaseQueue {
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
        let isAlone = ignoresLog || SeriesStore.fileSize(path + "-wal") == 0
        let name = URL(filePath: path).absoluteString + (isAlone ? "?mode=ro&immutable=1" : "?mode=ro")
        do { return try DatabaseQueue(path: name, configuration: configuration) } catch let error as DatabaseError
            where error.resultCode == .SQLITE_CORRUPT
        {
            // SQLite reads a file that is shorter than its header says only for those who may change the schema.
            configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA writable_schema = ON") }
            return try DatabaseQueue(path: name, configuration: configuration)
        }
    }

    /// What is missing of a file that was cut off; nil where nothing is.
    static func truncation(of path: String) throws -> Damage? {
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? file.close() }
        guard let header = try file.read(upToCount: 32)?.array, header.count == 32 else {
            return Damage(.file, "\(path) is shorter than the header of a database")
        }
        func number(_ offset: Int, _ bytes: Int) -> Int {
            header[offset..<offset + bytes].reduce(0) { $0 << 8 | Int($1) }
        }
        let pageSize = number(16, 2) == 1 ? 65_536 : number(16, 2)
        let (wanted, present) = (number(28, 4), SeriesStore.fileSize(path) / max(pageSize, 1))
        // With a log the header in the file may be an old one, from before the file was shortened.
        guard present < wanted, SeriesStore.fileSize(path + "-wal") == 0 else { return nil }
        return Damage(.file, "\(path) was cut off: it has \(present) pages, and its header says \(wanted)")
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
