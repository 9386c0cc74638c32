// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A tar file, packed and unpacked by the system's own `tar`; compressed by zstd where its name ends in `.zst`.
enum BackupArchive {
    static let members = ["manifest.json", "catalog.db", "samples.db"]

    /// Packs the members that lie in a folder into a new file, flushed when it returns.
    static func pack(_ folder: String, into file: String, isCompressed: Bool) throws {
        let compression = isCompressed ? ["--zstd"] : []
        try self.run(["--create"] + compression + ["--file", file, "--directory", folder] + self.members)
        try self.flush(file)
    }

    /// Unpacks the members, and nothing else, into a folder.
    static func unpack(_ file: String, into folder: String) throws {
        let compression = file.hasSuffix(".zst") ? ["--zstd"] : []
        try self.run(
            ["--extract", "--no-same-owner"] + compression + ["--file", file, "--directory", folder] + self.members
        )
        for member in self.members { try self.flush(folder + "/" + member) }
    }

    /// Makes a file, or what a folder names, durable.
    static func flush(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw PlatformError(.input, "\(path) cannot be flushed: \(String(cString: strerror(errno)))")
        }
    }

    private static func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["tar"] + arguments
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let reason = String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            throw PlatformError(.input, "tar failed with \(process.terminationStatus): \(reason)")
        }
    }
}
