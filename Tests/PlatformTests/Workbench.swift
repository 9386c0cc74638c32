// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import Dissemination
import EarlyWarning
import Foundation
import HTTPAPI
import SeriesStorage
import Telemetry
import TestSupport

@testable import Platform

/// The rooms behind the journal, put together on a folder as `Platform.build` does, without threads, broker and clock.
struct Workbench {
    static let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// The moment 2018-08-31T22:00:00Z.
    static let start = Timestamp(milliseconds: 1_535_752_800_000)

    let records: CatalogStore
    let store: SeriesStore
    let resolver: CatalogResolver
    let core: ProcessingCore
    /// What recording rules made and nobody has processed yet.
    let recorded = RecordedEntries()

    /// Gives `body` a new folder for data, and one that holds the files of devices.
    static func inFolders(_ files: [String: String], _ body: (_ data: URL, _ devices: URL) throws -> Void) throws {
        try inTemporaryFolder { folder in
            let (data, devices) = (folder.appending(path: "data"), folder.appending(path: "Devices"))
            try write(files, below: devices)
            try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
            try body(data, devices)
        }
    }

    /// Opens the folder as a start does: entries beyond the processed position are fed again.
    init(
        _ folder: URL,
        now: Timestamp = Workbench.start,
        clock: RuleEngine.ClockMode = .data,
        devices: URL = Workbench.project.appending(path: "Devices"),
        rules: URL = Workbench.project.appending(path: "Rules")
    ) throws {
        var options = PlatformOptions(
            dataDirectory: folder.path,
            devicesDirectory: devices.path,
            rulesDirectory: rules.path,
            broker: .embedded,
            clock: clock,
            exercise: true
        )
        options.listen = nil
        let directory = DataDirectory(path: folder.path)
        self.records = try CatalogStore(path: directory.catalog)
        let keys = SeriesKeyTable(gained: try self.records.gainedSeries())
        let (catalog, rules) = try Configuration(options: options, records: self.records).load(keys: keys)
        let processed = try self.records.processedPosition()
        self.store = try SeriesStore(path: directory.samples, processed: processed)
        try catalog.adopt(storedIn: self.store)
        self.resolver = CatalogResolver(
            catalog: catalog,
            policy: IngestPolicy(acceptsSimulated: true),
            history: self.store.reader
        )
        self.resolver.replace(maintenance: try self.records.maintenanceWindows())
        self.core = try ProcessingCore(
            store: self.store,
            records: self.records,
            resolver: self.resolver,
            feedSignal: FeedSignal(),
            options: options,
            rules: rules,
            processed: processed,
            at: now
        )
        self.core.commitRecorded = { [store, recorded] batch in
            let entry = try store.commit(batch)
            recorded.waiting.append(entry)
            return entry.position
        }
        for entry in try self.store.entries(after: processed, limit: .max) { try self.core.process(entry, at: now) }
        try self.processRecorded(at: now)
    }

    /// Processes what recording rules made, as it comes after everything that was journalled before it.
    func processRecorded(at now: Timestamp) throws {
        while !self.recorded.waiting.isEmpty {
            try self.core.process(self.recorded.waiting.removeFirst(), at: now)
        }
    }

    /// Commits readings of the demo gauge, one batch each.
    func commit(_ readings: [(minute: Int, feet: Double)], receivedAt: Timestamp? = nil) throws -> [JournalEntry] {
        try readings.map { reading in
            let time = Self.start + Milliseconds(reading.minute) * .minute
            var batch = ReadingBatch(receivedAt: receivedAt ?? time)
            batch.messages = 1
            let value = Reading(key: "gage_height_ft", value: reading.feet, time: time, isSimulated: true)
            let refusals = self.resolver.resolve(
                device: "usgs-01581752-1",
                readings: [value],
                receivedAt: batch.receivedAt,
                into: &batch.readings
            )
            guard refusals.isEmpty else { throw PlatformError(.input, "\(refusals)") }
            return try self.store.commit(batch)
        }
    }

    /// The messages of the feed, in its order, without what differs by the hour of the run.
    func feed() throws -> [String] {
        try self.records.feed(after: 0)
            .map { row in
                let message = try row.message()
                let value = message.value.map { "\($0)" } ?? "-"
                return
                    "\(row.sequence) \(message.number) \(message.action) \(message.level) \(message.eventTime) \(value)"
            }
    }

    func close() throws {
        try self.store.close()
        try self.records.close()
    }
}

final class RecordedEntries {
    var waiting: [JournalEntry] = []
}
