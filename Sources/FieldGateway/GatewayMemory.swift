// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PayloadCodecs

/// The file in which the gateway keeps what it knows of gaps; one JSON object by address.
struct GatewayMemory: Sendable {
    let path: String?

    /// - Throws: ``GatewayError`` where the file is there and cannot be read.
    func load() throws -> [UInt64: ObservationLog] {
        guard let path = self.path, FileManager.default.fileExists(atPath: path) else { return [:] }
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            let logs = try JSONDecoder().decode([String: ObservationLog].self, from: data)
            let pairs = logs.compactMap { address, log in UInt64(address, radix: 16).map { ($0, log) } }
            return Dictionary(uniqueKeysWithValues: pairs)
        } catch {
            throw GatewayError("\(path) cannot be read: \(error); move it away, and gaps are found anew")
        }
    }

    /// Replaces the file as a whole; does nothing where nothing has changed.
    func save(_ logs: [UInt64: ObservationLog]) throws {
        guard let path = self.path else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let byAddress = logs.map { (SL651Frame.text(ofAddress: $0.key), $0.value) }
        let data = try encoder.encode(Dictionary(uniqueKeysWithValues: byAddress))
        let file = URL(fileURLWithPath: path)
        if let old = try? Data(contentsOf: file), old == data { return }
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try data.write(to: file, options: .atomic)
    }
}
