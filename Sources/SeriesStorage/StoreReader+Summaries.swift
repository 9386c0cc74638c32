// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Telemetry

extension StoreReader {
    func summaries(_ request: SelectRequest) throws -> [SeriesSummary]? {
        guard case .window(let after, let through) = request.extent else { return nil }
        guard after < through else { return [] }
        let (sources, pin) = self.summarySources(request.matchers, after, through)
        defer { withExtendedLifetime(pin) {} }
        do {
            return try sources.concurrentCompactMap { source in
                guard let tally = try self.tally(source, after + 1, through, request.qualities) else { return nil }
                return tally.summary(labels: source.labels ?? self.store.index.labels(of: source.id))
            }
        } catch {
            throw StorageError(error, path: self.store.path)
        }
    }

    /// One series: every block that reaches into the window, and what is in no block.
    private struct SummarySource: Sendable {
        let id: SeriesID
        let labels: Labels?
        let open: Columns
        let places: [BlockPlace]
    }

    private func summarySources(
        _ matchers: [LabelMatcher],
        _ after: Timestamp,
        _ through: Timestamp
    ) -> ([SummarySource], BlockFile.Pin?) {
        let ids = self.store.index.matching(matchers, below: SeriesID(rawValue: .max))
        func sources(_ memory: borrowing SeriesMemory) -> [SummarySource] {
            var result: [SummarySource] = []
            for id in ids {
                guard Int(id.rawValue) <= memory.count else { break }
                let places = memory[shardOf: id].blocks(of: id, from: after + 1, through: through)
                let open = memory[id].open.window(after: after, through: through)
                guard !places.isEmpty || !open.isEmpty else { continue }
                result.append(SummarySource(id: id, labels: memory[id].key?.labels, open: open, places: places))
            }
            return result
        }
        if let frozen = self.frozen { return (sources(frozen.memory), frozen.pin) }
        return self.store.memory.withLock { (sources($0), self.store.blockFile.pin()) }
    }

    /// Adds up chunks that lie in the window as a whole by their statistics, and decodes the others.
    private func tally(
        _ source: SummarySource,
        _ from: Timestamp,
        _ through: Timestamp,
        _ qualities: QualitySet
    ) throws -> SampleTally? {
        let file = self.store.blockFile
        var chunks: [(place: BlockPlace, index: Int, statistics: ChunkStatistics)] = []
        for place in source.places {
            let block = try file.block(place.id)
            for index in block.entries(of: source.id) {
                let statistics = block.entries[index].statistics
                guard statistics.firstTime <= through, statistics.lastTime >= from else { continue }
                chunks.append((place, index, statistics))
            }
        }
        chunks.sort { $0.statistics.firstTime < $1.statistics.firstTime }
        var tally = SampleTally()
        if !self.areApart(chunks.map(\.statistics), source.open) {
            let parts = try source.places.map {
                try file.columns(of: source.id, in: $0.id, from: from, through: through, isKept: false)
                    .window(after: from - 1, through: through)
            }
            tally.add(Columns.merging(parts + [source.open]).admitted(by: qualities))
            return tally.isEmpty ? nil : tally
        }
        for chunk in chunks {
            let statistics = chunk.statistics
            let isInside = statistics.firstTime >= from && statistics.lastTime <= through
            if isInside, statistics.qualities & ~qualities.rawValue == 0 {
                tally.add(statistics)
            } else {
                let columns = try file.columns(chunk: chunk.index, in: chunk.place.id)
                tally.add(columns.window(after: from - 1, through: through).admitted(by: qualities))
            }
        }
        tally.add(source.open.admitted(by: qualities))
        return tally.isEmpty ? nil : tally
    }

    /// Whether no two of the chunks, in order of time, overlap, and all that is in no block is newer than they are.
    private func areApart(_ chunks: [ChunkStatistics], _ open: Columns) -> Bool {
        for (earlier, later) in zip(chunks, chunks.dropFirst()) where earlier.lastTime >= later.firstTime {
            return false
        }
        guard let last = chunks.last, let first = open.times.first else { return true }
        return last.lastTime < first
    }
}

/// Adds up samples in order of time; decimals as integers, so that the sum is exact.
struct SampleTally {
    private var count = 0
    private var hasNaN = false
    private var minimum = Double.nan
    private var maximum = Double.nan
    private var first = Double.nan
    private var last = Double.nan
    private var decimals = DecimalSum()
    /// Of what is no decimal.
    private var binary = 0.0

    var isEmpty: Bool { self.count == 0 }

    mutating func add(_ statistics: ChunkStatistics) {
        self.note(first: statistics.firstValue, last: statistics.lastValue, count: statistics.count)
        if statistics.hasNaN { self.hasNaN = true }
        guard let minimum = statistics.minimum, let maximum = statistics.maximum else { return }
        self.widen(minimum, maximum)
        if case .decimal(let exponent, _, _, let sum) = statistics.numbers {
            self.decimals.add(sum, exponent: exponent)
        } else {
            self.binary += statistics.sum
        }
    }

    mutating func add(_ samples: (times: [Timestamp], values: [Double], marks: [SampleMark])) {
        guard let first = samples.values.first, let last = samples.values.last else { return }
        self.note(first: first, last: last, count: samples.values.count)
        for value in samples.values {
            if value.isNaN {
                self.hasNaN = true
                continue
            }
            self.widen(value, value)
            if !self.decimals.add(value) { self.binary += value }
        }
    }

    private mutating func note(first: Double, last: Double, count: Int) {
        if self.count == 0 { self.first = first }
        self.last = last
        self.count += count
    }

    private mutating func widen(_ minimum: Double, _ maximum: Double) {
        if !(self.minimum <= minimum) { self.minimum = minimum }
        if !(self.maximum >= maximum) { self.maximum = maximum }
    }

    func summary(labels: Labels) -> SeriesSummary {
        SeriesSummary(
            labels: labels,
            count: self.count,
            sum: self.hasNaN ? .nan : self.decimals.value + self.binary,
            minimum: self.minimum,
            maximum: self.maximum,
            first: self.first,
            last: self.last
        )
    }
}

/// A sum of decimals with up to nine places.
struct DecimalSum {
    /// In units of 10^−9.
    private var billionths: Int128 = 0
    /// Of the value before.
    private var places = 0

    private static let powers: [Int64] = (0...9).map { (0..<$0).reduce(1) { power, _ in power * 10 } }

    /// Adds an integer of 10^−exponent, exponent 0 … 9.
    mutating func add(_ integer: Int64, exponent: Int) {
        self.billionths += Int128(integer) * Int128(Self.powers[9 - exponent])
    }

    /// Adds a value that is such a decimal; false for others, which are not added.
    mutating func add(_ value: Double) -> Bool {
        if value == 0 { return true }
        // Values of one series mostly have as many places as the one before.
        if let integer = DecimalScale.integer(value, power: DecimalScale.powers[self.places]) {
            self.add(integer, exponent: self.places)
            return true
        }
        for places in 0...DecimalScale.largestExponent {
            guard let integer = DecimalScale.integer(value, power: DecimalScale.powers[places]) else { continue }
            self.places = places
            self.add(integer, exponent: places)
            return true
        }
        return false
    }

    /// Rounded once to the nearest double, where it has up to 15 digits.
    var value: Double {
        // Fewer places keep the dividend and the divisor small, so that the quotient is the nearest double.
        var (integer, places) = (self.billionths, 9)
        while places > 0, integer % 10 == 0 {
            integer /= 10
            places -= 1
        }
        return Double(integer) / Double(Self.powers[places])
    }
}
