// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
package import SeriesStorage
package import Telemetry

/// What the victim of the crash tests commits: batch n is the same in every process.
///
/// Beside the samples that must stay, there are some in series of their own that retention takes away when they are old,
/// and some that are removed by name.
package struct CrashScript {
    /// Retention takes the old ones of these.
    package static let aging = "aging_meters"
    /// These are removed.
    package static let fleeting = "fleeting_meters"

    private let keys: [SeriesKey]
    private let aging = SeriesKey(labels: Labels(metric: CrashScript.aging, ["site": "s0"]))
    private let fleeting = SeriesKey(labels: Labels(metric: CrashScript.fleeting, ["site": "s0"]))

    /// Small ones, so that sealing and eviction happen all the time.
    package static var limits: SeriesStore.Limits {
        var limits = SeriesStore.Limits()
        limits.chunkSamples = 20
        limits.residentSamples = 15
        limits.journalReadings = 300
        limits.blockBytes = 300
        limits.mergeFactor = 2
        limits.seriesPerShard = 3
        limits.walBytes = 256 << 10
        return limits
    }

    package init() {
        self.keys = (0..<10).map { SeriesKey(labels: Labels(metric: "level_meters", ["site": "s\($0)"])) }
    }

    /// Batches arrive in real order of time; every value occurs once in all batches.
    package func batch(_ number: Int) -> ReadingBatch {
        let receivedAt = Timestamp(milliseconds: 1_700_000_000_000 + Int64(number / 3))
        var batch = ReadingBatch(receivedAt: receivedAt)
        for (index, value) in self.values(number).enumerated() {
            let hasOwnTime = (number + index) % 3 > 0
            // Own times are far from the receive times and never meet.
            let own = Timestamp(milliseconds: 1_500_000_000_000 + Int64(number * 100 + index))
            batch.readings.append(
                ResolvedReading(
                    series: self.keys[(number + index * 3) % self.keys.count],
                    sample: Sample(time: hasOwnTime ? own : receivedAt, value: value),
                    hasOwnTime: hasOwnTime
                )
            )
        }
        for (key, offset) in [(self.aging, 0.25), (self.fleeting, 0.5)] {
            batch.readings.append(
                ResolvedReading(
                    series: key,
                    sample: Sample(time: self.ownTime(number), value: Double(number) + offset),
                    hasOwnTime: true
                )
            )
        }
        batch.messages = 1
        batch.deliveries = [Delivery(packetID: UInt16(number % 65_535 + 1), hash: UInt64(number))]
        return batch
    }

    /// When the aging and the fleeting sample of a batch are.
    package func ownTime(_ number: Int) -> Timestamp { Timestamp(milliseconds: 1_400_000_000_000 + Int64(number)) }

    /// The values that must stay.
    package func values(_ number: Int) -> [Double] {
        (0..<(number % 9 + 1)).map { Double(number * 100 + $0) }
    }
}

/// Stands for `catalog.db`: one number on disk, flushed with every change.
package final class PositionFile: Sendable {
    private let descriptor: Int32

    package init(directory: String) throws {
        self.descriptor = open(directory + "/position", O_RDWR | O_CREAT, 0o600)
        guard self.descriptor >= 0 else { throw CocoaError(.fileNoSuchFile) }
    }

    deinit { close(self.descriptor) }

    package func read() -> JournalPosition {
        var value: Int64 = 0
        _ = withUnsafeMutableBytes(of: &value) { pread(self.descriptor, $0.baseAddress, 8, 0) }
        return JournalPosition(rawValue: value)
    }

    package func write(_ position: JournalPosition) throws {
        let value = position.rawValue
        let written = withUnsafeBytes(of: value) { pwrite(self.descriptor, $0.baseAddress, 8, 0) }
        guard written == 8, fsync(self.descriptor) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}
