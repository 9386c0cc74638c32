// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import StrictYAML
import Telemetry
import Testing

/// What several suites of this target use.
enum Fixture {
    /// When 星子 stood at 19.07 m: 2022-06-21T16:00:00+08:00.
    static let now = Timestamp(milliseconds: 1_655_798_400_000)

    static var devicesDirectory: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Devices").path
    }

    static func time(_ text: String) throws -> Timestamp {
        try #require(Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes))
    }

    /// What is wrong with files given as `path → text`, one problem a line without the directory.
    static func problems(_ files: [String: String]) -> [String] {
        do {
            let files = try CatalogFiles.parse(
                files.map { SourceText(path: $0.key, text: $0.value) }.sorted { $0.path < $1.path }
            )
            _ = try Catalog(files: files)
            return []
        } catch let error as ProblemList {
            Self.expectChinese(error.problems)
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    /// Whoever keeps the files may read Chinese.
    static func expectChinese(_ problems: [Problem]) {
        let missing = problems.filter { !isChinese($0.messageZh ?? "") }.map(\.message)
        #expect(missing == [], "these have no Chinese")
    }

    static func catalog(
        _ files: [String: String],
        registered: CatalogRegistrations = .none,
        keys: SeriesKeyTable = SeriesKeyTable()
    ) throws -> Catalog {
        try Catalog(
            files: CatalogFiles.parse(files.map { SourceText(path: $0.key, text: $0.value) }),
            registered: registered,
            keys: keys
        )
    }
}

/// Whether a text has Chinese words.
func isChinese(_ text: String) -> Bool {
    text.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) }
}
