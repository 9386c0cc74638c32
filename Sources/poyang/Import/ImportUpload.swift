// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Sends VictoriaMetrics JSON lines to the service in pieces and reports what it refuses, by the line of the source.
struct ImportUpload {
    struct Result: Hashable {
        var imported: Int64 = 0
        var refused = 0
    }

    /// A piece is sent when it holds this much.
    private static let pieceBytes = 1 << 20

    private let client: APIClient
    private let file: String
    private var piece: [UInt8] = []
    /// For each line of the piece, the line of the source that it came from.
    private var origins: [Int] = []
    private var result = Result()
    private var progress: Progress

    init(client: APIClient, file: String) {
        self.client = client
        self.file = file
        self.progress = Progress(total: nil, unit: "samples")
    }

    /// Adds one JSON line, without its line break.
    ///
    /// `origin` is the line of the source, from 1; `fraction` is how much of the source has been read, where known.
    mutating func add(_ line: some Sequence<UInt8>, origin: Int, fraction: Double?) async throws {
        self.piece += line
        self.piece.append(UInt8(ascii: "\n"))
        self.origins.append(origin)
        self.progress.fraction = fraction
        if self.piece.count >= ImportUpload.pieceBytes { try await self.send() }
    }

    /// A line of the source that did not get as far as the service.
    mutating func refuse(_ problem: RowProblem) {
        self.result.refused += 1
        StandardError.write("error: \(self.file):\(problem.line): \(problem.message)")
    }

    mutating func finish() async throws -> Result {
        try await self.send()
        self.progress.finish(saying: "imported \(self.result.imported) samples, refused \(self.result.refused) lines")
        return self.result
    }

    private mutating func send() async throws {
        guard !self.origins.isEmpty else { return }
        let answer = try await self.client.post(
            "/api/v1/import",
            body: Data(self.piece),
            type: "application/x-ndjson"
        )
        for error in answer["errors"].elements {
            let line = error["line"].integer.map { Int($0) } ?? 0
            let origin = self.origins.indices.contains(line - 1) ? self.origins[line - 1] : 0
            self.refuse(RowProblem(line: origin, message: error["message"].cellText))
        }
        let imported = answer["imported"].integer ?? 0
        self.result.imported += imported
        self.progress.advance(by: imported)
        self.piece.removeAll(keepingCapacity: true)
        self.origins.removeAll(keepingCapacity: true)
    }
}
