// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import EarlyWarning
import HTTPAPI
import SeriesStorage
import Telemetry

/// A survey that holds from a day in the past: what was stored since then has the zero of before.
extension PlatformBackend {
    /// Gives stored levels the zero that a survey found for their time.
    ///
    /// They are corrections as a person's are: the store keeps the first value, the rules see late truth. What was read by hand
    /// has the site's datum, and stays.
    ///
    /// - Parameters:
    ///   - new: The device with the survey, which is in force.
    ///   - old: The same before.
    ///   - from: From when on the survey counts.
    ///   - isKept: Only counts.
    ///   - now: The receive time of the corrections.
    /// - Returns: How many there are; nil where there is none.
    /// - Throws: When the store cannot be read or written.
    func moveLevels(
        of new: Device,
        before old: Device,
        from: Timestamp,
        isKept: Bool,
        at now: Timestamp
    ) async throws -> SurveyedReadings? {
        // After what was committed with the old zero until now.
        try await self.processor.perform { _ in }
        var found = SurveyedReadings(since: from.rfc3339())
        // What is older is of whoever stood there before; a data clock says nothing of when it was registered.
        let start = self.options.clock == .wall ? max(from, new.installedAt ?? from) : from
        for (series, isShared) in self.resolver.catalog.seriesWithZero(of: new) {
            let (resolver, processor, reader) = (self.resolver, self.processor, self.samples.reader)
            let count = try await onThread("poyang-survey") {
                let moved = try Self.moved(series, of: new, before: old, from: start, in: reader)
                guard !isKept, !isShared else { return moved.count }
                for first in stride(from: 0, to: moved.count, by: Processor.revisionsAtOnce) {
                    var batch = ReadingBatch(receivedAt: now)
                    batch.readings = Array(moved[first...].prefix(Processor.revisionsAtOnce))
                    resolver.test(&batch.readings, receivedAt: now)
                    try processor.commit(batch)
                }
                return moved.count
            }
            if isKept || isShared { found.kept += count } else { found.recomputed += count }
            found.isShared = found.isShared || isShared && count > 0
        }
        try await self.processor.perform { _ in }
        return found.kept + found.recomputed > 0 ? found : nil
    }

    /// The levels of a series that another zero moves, moved.
    private static func moved(
        _ series: Labels,
        of new: Device,
        before old: Device,
        from: Timestamp,
        in reader: any SeriesReader
    ) throws -> [ResolvedReading] {
        let request = SelectRequest(
            matchers: series.matchers,
            extent: .window(after: from - 1, through: .distantFuture),
            qualities: .all
        )
        guard let columns = try reader.select(request).first(where: { $0.labels == series }) else { return [] }
        let key = SeriesKey(labels: series)
        return columns.times.indices.compactMap { index in
            let (time, value, mark) = (columns.times[index], columns.values[index], columns.marks[index])
            let zeros = (new: new.zeroElevation(at: time) ?? 0, old: old.zeroElevation(at: time) ?? 0)
            guard zeros.new != zeros.old, mark.method != .manual, value.isFinite else { return nil }
            let level = ((value + zeros.new - zeros.old) * 1e9).rounded() / 1e9
            let sample = Sample(time: time, value: level, mark: mark.withoutVerdict)
            return ResolvedReading(series: key, sample: sample, hasOwnTime: true)
        }
    }
}

extension SampleMark {
    /// Without the doubt of an earlier test, so that the new value is judged; that of its sender stays.
    fileprivate var withoutVerdict: SampleMark {
        guard self.quality == .suspect, self.failedTest != .sender else { return self }
        return self.withQuality(of: SampleMark(quality: .notEvaluated))
    }
}
