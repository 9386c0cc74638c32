// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPAPI
import SeriesStorage
import Telemetry

extension StoreReport {
    init(_ statistics: StoreStatistics, _ upkeep: Upkeep.Report) {
        self.init()
        self.series = statistics.series
        self.samples = statistics.samples
        self.samplesInMemory = statistics.samplesInMemory
        self.segments = statistics.segments
        self.blocks = statistics.blocks
        self.chunks = statistics.chunks
        self.fileBytes = statistics.fileBytes
        self.walBytes = statistics.walBytes
        self.journalEntries = statistics.journalEntries
        self.journalReadings = statistics.journalReadings
        self.journalBytes = statistics.journalBytes
        self.lastMergeAt = upkeep.lastMerge?.rfc3339()
        self.lastRetentionAt = upkeep.lastRetention?.rfc3339()
    }

    /// As gauges of `/metrics`.
    func add(to text: inout MetricsText) {
        text.gauge("poyang_series", "Series in the store.", self.series)
        text.gauge("poyang_samples", "Distinct points in the store.", self.samples)
        text.gauge("poyang_memory_samples", "Samples held in memory.", self.samplesInMemory)
        text.gauge("poyang_store_segments", "Segments; merging makes them fewer.", self.segments)
        text.gauge("poyang_store_blocks", "Blocks of all segments.", self.blocks)
        text.gauge("poyang_store_chunks", "Chunks of all blocks.", self.chunks)
        text.gauge("poyang_store_file_bytes", "Size of samples.db without its WAL.", self.fileBytes)
        text.gauge("poyang_store_wal_bytes", "Size of the WAL of samples.db.", self.walBytes)
        text.gauge("poyang_journal_batches", "Batches in the journal, not yet sealed.", self.journalEntries)
        text.gauge("poyang_journal_readings", "Readings in the journal, not yet sealed.", self.journalReadings)
        text.gauge("poyang_journal_bytes", "Bytes of the journal's batches.", self.journalBytes)
        for (name, help, time) in [
            ("poyang_store_merged_timestamp_seconds", "When segments were last merged.", self.lastMergeAt),
            ("poyang_store_retained_timestamp_seconds", "When retention was last enforced.", self.lastRetentionAt),
        ] {
            guard let time = time.flatMap({ Timestamp(rfc3339: $0) }) else { continue }
            text.gauge(name, help, Int(time.milliseconds / 1000))
        }
    }
}
