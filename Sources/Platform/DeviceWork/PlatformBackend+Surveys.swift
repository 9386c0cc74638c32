// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import HTTPAPI
import SeriesStorage
import Telemetry

/// A survey that holds from a day in the past: what was stored since then has the zero of before.
extension PlatformBackend {
    /// Counts the stored levels that a survey does not reach.
    ///
    /// - Parameters:
    ///   - new: The device with the survey.
    ///   - old: The same before.
    ///   - from: From when on the survey counts.
    /// - Returns: Nil where there is none.
    /// - Throws: When the store cannot be read.
    func levelsLeftBehind(by new: Device, _ old: Device, from: Timestamp) async throws -> SurveyedReadings? {
        let (series, reader) = (self.resolver.catalog.seriesWithZero(of: new), self.samples.reader)
        let count = try await onThread("poyang-survey") {
            try series.reduce(0) { try $0 + Self.count(of: $1, new, old, from: from, in: reader) }
        }
        return count > 0 ? SurveyedReadings(since: from.rfc3339(), kept: count) : nil
    }

    private static func count(
        of series: Labels,
        _ new: Device,
        _ old: Device,
        from: Timestamp,
        in reader: any SeriesReader
    ) throws -> Int {
        let request = SelectRequest(
            matchers: series.matchers,
            extent: .window(after: from - 1, through: .distantFuture),
            qualities: .all
        )
        guard let columns = try reader.select(request).first(where: { $0.labels == series }) else { return 0 }
        return columns.times.indices.count { index in
            // What was read by hand has the site's datum.
            let time = columns.times[index]
            return columns.marks[index].method != .manual && new.zeroElevation(at: time) != old.zeroElevation(at: time)
        }
    }
}
