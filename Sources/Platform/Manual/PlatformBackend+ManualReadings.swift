// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import Dissemination
package import HTTPAPI
import SeriesStorage
import Telemetry

extension PlatformBackend {
    package func enterReading(_ order: ManualReadingOrder) async throws -> ManualReadingReport {
        let now = self.now()
        let catalog = self.resolver.catalog
        if let org = order.access.org, let site = catalog.sites[order.site], site.org != org {
            throw APIProblem.notFound(
                "there is no site '\(order.site)'; `poyang sites list` shows all",
                zh: "没有站点“\(order.site)”；用 poyang sites list 查看全部站点"
            )
        }
        let (who, reading) = try self.check(order, in: catalog, at: now)
        let existing = try await self.stored(of: reading.series.labels, at: reading.sample.time)
        var record = ManualReading(
            site: order.site,
            series: try StoredJSON.encode(reading.series.labels),
            time: order.time,
            value: order.value,
            who: who,
            via: order.access.name,
            note: order.note,
            enteredAt: now
        )
        var outcome = ManualReadingReport.Outcome.stored
        if let existing {
            guard existing.value != order.value else {
                return ManualReadingReport(record, series: reading.series.labels, outcome: .duplicate)
            }
            try self.requireCorrection(order, of: existing)
            record.replacedValue = existing.value
            record.replacedMethod = "\(existing.mark.method)"
            outcome = .corrected
        }
        record.id = try self.records.add(record)
        try await self.commit(reading, of: record.id, at: now)
        return ManualReadingReport(record, series: reading.series.labels, outcome: outcome)
    }

    package func manualReadings(site: String?, org: String?, limit: Int) throws -> [ManualReadingReport] {
        try self.records.manualReadings(site: site, limit: org == nil ? limit : .max)
            .filter { record in org.map { self.site(record.site)?.org == $0 } ?? true }
            .prefix(limit)
            .map { record in
                let outcome: ManualReadingReport.Outcome =
                    !record.isStored ? .uncertain : record.replacedValue == nil ? .stored : .corrected
                let series = try StoredJSON.decode(Labels.self, from: record.series)
                return ManualReadingReport(record, series: series, outcome: outcome)
            }
    }

    /// - Throws: ``APIProblem`` 422 with everything that is wrong.
    private func check(
        _ order: ManualReadingOrder,
        in catalog: Catalog,
        at now: Timestamp
    ) throws -> (who: String, reading: ResolvedReading) {
        let entry = ManualEntry(
            site: order.site,
            metric: order.metric,
            value: order.value,
            time: order.time,
            labels: order.labels,
            isBeyondRange: order.isForced
        )
        var problems = ManualEntryError()
        var who = order.by.filter { !$0.isNewline }.split(separator: " ").joined(separator: " ")
        if who.isEmpty, order.access.name != "socket" { who = order.access.name }
        if who.isEmpty || who.count > 100 || order.note.count > 1000 {
            problems.add(
                "by",
                "say who read it, in at most 100 characters (the note in at most 1000)",
                "请填读数人，不超过 100 字（备注不超过 1000 字）"
            )
        }
        let reading: ResolvedReading
        do throws(ManualEntryError) {
            reading = try entry.resolved(in: catalog, policy: self.resolver.policy, receivedAt: now)
        } catch {
            for problem in error.problems { problems.add(problem.field, problem.message.en, problem.message.zh) }
            throw APIProblem.unprocessable(problems.text.en, zh: problems.text.zh)
        }
        guard problems.problems.isEmpty else { throw APIProblem.unprocessable(problems.text.en, zh: problems.text.zh) }
        return (who, reading)
    }

    /// The sample that a series has at a time, after all that was committed until now.
    func stored(of series: Labels, at time: Timestamp) async throws -> Sample? {
        let store = self.samples
        return try await self.processor.look { _ in
            let request = SelectRequest(
                matchers: series.matchers,
                extent: .window(after: time - 1, through: time),
                qualities: .all
            )
            let columns = try store.reader.select(request).first { $0.labels == series }
            guard let columns, let value = columns.values.last, let mark = columns.marks.last else { return nil }
            return Sample(time: time, value: value, mark: mark)
        }
    }

    private func requireCorrection(_ order: ManualReadingOrder, of existing: Sample) throws {
        guard !order.isCorrection else { return }
        let how = "\(existing.mark.method)"
        throw APIProblem.conflict(
            "at \(order.time) the value \(existing.value) (\(how)) is stored already; to put \(order.value) in its place "
                + "say so (--correct, \"correct\": true), the original is kept",
            zh: "\(order.time) 已有值 \(existing.value)（\(how)）；如要更正为 \(order.value)，请注明更正（--correct，"
                + "\"correct\": true），原值会保留"
        )
    }

    /// Stores the sample of a record and waits for the rules.
    private func commit(_ reading: ResolvedReading, of record: Int64, at now: Timestamp) async throws {
        let (processor, records) = (self.processor, self.records)
        try await onThread("poyang-manual") {
            var batch = ReadingBatch(receivedAt: now)
            batch.readings = [reading]
            do {
                try processor.commitWithoutPatience(batch)
            } catch {
                try? records.withdraw(manualReading: record)
                throw APIProblem.unavailable(
                    "nothing can be stored now: \(error); enter it again later",
                    zh: "现在无法保存：\(error)；请稍后再填"
                )
            }
            try records.noteStored(manualReading: record)
        }
        try await processor.perform { _ in }
    }
}
