// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The folder that holds everything poyang knows, owned by one process at a time.
///
/// ```
/// DATA/lock         flock'ed by the owner; holds its pid
/// DATA/poyang.sock  the owner's local API, mode 0600
/// DATA/samples.db   journal, chunks, quarantine
/// DATA/catalog.db   registry, alert states, warnings, ledger, feed, tokens
/// DATA/broker/      the embedded broker's store
/// ```
package struct DataDirectory: Sendable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    package var lockFile: String { self.path + "/lock" }
    package var socket: String { self.path + "/poyang.sock" }
    package var samples: String { self.path + "/samples.db" }
    package var catalog: String { self.path + "/catalog.db" }
    package var broker: String { self.path + "/broker" }
    /// There while a restore exchanges the files.
    package var unfinishedRestore: String { self.path + "/restore.unfinished" }

    /// Refuses a directory whose restore was cut off: its two databases may not belong together.
    ///
    /// - Throws: ``PlatformError`` `dataDirectory`.
    package func requireFinishedRestore() throws {
        guard FileManager.default.fileExists(atPath: self.unfinishedRestore) else { return }
        throw PlatformError(
            .dataDirectory,
            "a restore into \(self.path) was cut off; run 'poyang restore FILE --force --data \(self.path)' again, or "
                + "put the files of \(self.path)/replaced-… back and remove \(self.unfinishedRestore)"
        )
    }

    /// Makes the folder if need be and takes the lock.
    ///
    /// - Throws: ``PlatformError`` `dataDirectoryInUse` with the owner's pid, or `dataDirectory`.
    package func acquire() throws -> DataDirectoryLock {
        do {
            try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
        } catch {
            throw PlatformError(
                .dataDirectory,
                "cannot make the data directory \(self.path); check its parent's owner and free space",
                cause: error
            )
        }
        let descriptor = open(self.lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw PlatformError(
                .dataDirectory,
                "cannot open \(self.lockFile): \(String(cString: strerror(errno))); check its owner"
            )
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let owner = self.processID(in: descriptor).map { " (pid \($0))" } ?? ""
            close(descriptor)
            throw PlatformError(
                .dataDirectoryInUse,
                "the data directory \(self.path) is in use by another poyang\(owner); "
                    + "stop it, or name another directory with --data"
            )
        }
        let text = "\(ProcessInfo.processInfo.processIdentifier)\n"
        guard ftruncate(descriptor, 0) == 0,
            text.utf8CString.withUnsafeBytes({
                pwrite(descriptor, $0.baseAddress, $0.count - 1, 0)
            }) == text.utf8.count
        else {
            close(descriptor)
            throw PlatformError(
                .dataDirectory,
                "cannot write \(self.lockFile): \(String(cString: strerror(errno)))"
            )
        }
        return DataDirectoryLock(descriptor: descriptor)
    }

    /// Who holds the lock now.
    package struct Owner: Hashable, Sendable {
        /// What the lock file says; nil where it says nothing.
        package let processID: Int32?
    }

    /// Who holds the lock, this process included; nil where nobody does.
    ///
    /// Looks without waiting and without keeping the lock.
    package var owner: Owner? {
        let descriptor = open(self.lockFile, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return nil }
        return Owner(processID: self.processID(in: descriptor))
    }

    package var isInUse: Bool { self.owner != nil }

    private func processID(in descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}

/// Holds the data directory until it is released or the process ends.
package final class DataDirectoryLock: Sendable {
    private let descriptor: Int32

    fileprivate init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(self.descriptor)
    }
}
