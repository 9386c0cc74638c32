// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PayloadCodecs

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write stored samples in a form that 'poyang import' and others read.",
        discussion: """
            A selector is PromQL's: a metric, conditions on labels, or both; several add up.
            csv keeps quality and method of each sample; the other formats cannot, so they
            hold the samples of quality 1 and 2 unless a selector asks for others.

              poyang export --match 'water_level_meters{site="xingzi"}' \\
                --from 2022-06-01 --to 2022-07-01 --format csv --output xingzi.csv
            """
    )

    @Option(help: ArgumentHelp("Which series.", valueName: "selector"))
    var match: [String]
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The first moment; without it all from the beginning.", valueName: "t"),
        transform: MomentArgument.read
    )
    var from: MomentArgument?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The last moment; without it all to the end.", valueName: "t"),
        transform: MomentArgument.read
    )
    var to: MomentArgument?
    @Option(help: "What is written.")
    var format: BulkFormat
    @Option(help: ArgumentHelp("A file instead of standard output.", valueName: "file"))
    var output: String?
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if self.match.isEmpty { throw ValidationError("give at least one --match SELECTOR") }
        if let from, let to, from.time > to.time { throw ValidationError("--from lies after --to") }
    }

    func run() async throws {
        let query: [(String, String?)] =
            self.match.map { ("match[]", $0) } + [
                ("start", self.from?.unixSeconds), ("end", self.to?.unixSeconds), ("format", self.format.rawValue),
            ]
        try await self.connection.withClient { client in
            guard let path = self.output else {
                try await client.stream("/api/v1/export", query: query) { bytes in
                    // A reader that has gone away ends the process quietly.
                    if !OutputFile.write(bytes, to: STDOUT_FILENO) { Foundation.exit(EXIT_SUCCESS) }
                }
                return
            }
            let file = try OutputFile(path)
            var progress = Progress(total: nil, unit: "bytes")
            try await client.stream("/api/v1/export", query: query) { bytes in
                try file.write(bytes)
                progress.advance(by: Int64(bytes.count))
            }
            try file.finish()
            progress.finish(saying: "wrote \(progress.done) bytes to \(path)")
        }
    }
}

/// A file that appears under its name only when it is whole.
private struct OutputFile {
    private let path: String
    private let descriptor: Int32

    private var draft: String { self.path + ".part" }

    init(_ path: String) throws {
        self.path = path
        self.descriptor = open(path + ".part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard self.descriptor >= 0 else {
            throw CommandFailure("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    func write(_ bytes: [UInt8]) throws {
        guard Self.write(bytes, to: self.descriptor) else {
            throw CommandFailure("cannot write \(self.draft): \(String(cString: strerror(errno)))")
        }
    }

    func finish() throws {
        guard fsync(self.descriptor) == 0 || errno == EINVAL, close(self.descriptor) == 0,
            rename(self.draft, self.path) == 0
        else { throw CommandFailure("cannot write \(self.path): \(String(cString: strerror(errno)))") }
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = Foundation.write(descriptor, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
                if count < 0, errno == EINTR || errno == EAGAIN { continue }
                guard count > 0 else { return false }
                offset += count
            }
            return true
        }
    }
}
