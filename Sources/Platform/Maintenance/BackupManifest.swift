// poyang
// SPDX-License-Identifier: Apache-2.0

import Crypto
import Foundation
import Telemetry

/// What a backup holds: `manifest.json`, the first member of the archive.
struct BackupManifest: Codable, Sendable {
    /// The only one there is.
    static let format = 1

    struct File: Codable, Sendable {
        /// The newest step of its schema.
        var schema: String
        var bytes: Int
        /// Lower-case hexadecimal.
        var sha256: String
    }

    var format = BackupManifest.format
    /// RFC 3339.
    var madeAt: String
    /// The newest batch in `samples.db`.
    var committed: Int64
    /// Up to which batch its journal is in the blocks; never beyond `processed`.
    var sealed: Int64
    /// The newest batch that the rules had processed, as `catalog.db` says; never beyond `committed`.
    var processed: Int64
    var samples: File
    var catalog: File

    static func read(_ path: String) throws -> BackupManifest {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(BackupManifest.self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw PlatformError(
                .input,
                "the manifest of the backup cannot be read; is it one of poyang's?",
                cause: error
            )
        }
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(filePath: path))
    }

    /// Size and SHA-256 of a file, read a megabyte at a time.
    static func fingerprint(_ path: String, progress: (Int) throws -> Void = { _ in }) throws -> (Int, String) {
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? file.close() }
        var digest = SHA256()
        var size = 0
        while let data = try file.read(upToCount: 1 << 20), !data.isEmpty {
            digest.update(data: data)
            size += data.count
            try progress(size)
        }
        return (size, digest.finalize().hexadecimal())
    }
}
