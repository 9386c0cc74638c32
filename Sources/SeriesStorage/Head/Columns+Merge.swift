// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Columns {
    /// The samples in `(after, through]`.
    func window(after: Timestamp, through: Timestamp) -> Columns {
        let places = self.places(after: after, through: through)
        return self.slice(places.lowerBound, places.upperBound)
    }

    /// Where the samples in `(after, through]` are.
    func places(after: Timestamp, through: Timestamp) -> Range<Int> {
        let low = self.times.count(through: after)
        return low..<Swift.max(low, self.times.count(through: through))
    }

    /// Whether all samples of these places are alike, and of one of `qualities`.
    func admits(_ places: Range<Int>, _ qualities: QualitySet) -> Bool {
        guard !places.isEmpty else { return true }
        return self.marks.withUnsafeBufferPointer { marks in
            let marks = UnsafeBufferPointer(rebasing: marks[places])
            return marks.areAll(marks[0])
                && qualities.admits(SampleMark(rawValue: marks[0] & ~SeriesHead.resident))
        }
    }

    /// The samples with these indices.
    func slice(_ start: Int, _ end: Int) -> Columns {
        if start == 0, end == self.count { return self }
        var result = Columns()
        result.times = Array(self.times[start..<end])
        result.values = Array(self.values[start..<end])
        result.marks = Array(self.marks[start..<end])
        return result
    }

    /// The samples with these indices.
    func filtered(_ indices: [Int]) -> Columns {
        var result = Columns()
        result.reserveCapacity(indices.count)
        for index in indices { result.append(self.times[index], self.values[index], self.marks[index]) }
        return result
    }

    /// The samples whose index is wanted.
    func filtered(by isWanted: (Int) -> Bool) -> Columns {
        self.filtered(self.times.indices.filter(isWanted))
    }

    mutating func removeSubrange(_ range: Range<Int>) {
        self.times.removeSubrange(range)
        self.values.removeSubrange(range)
        self.marks.removeSubrange(range)
    }

    /// Sets bits in all marks.
    mutating func markAll(_ bits: UInt8) {
        for index in self.marks.indices { self.marks[index] |= bits }
    }

    /// All samples of all parts in order; where two have the same time, that of the later part.
    static func merging(_ parts: [Columns]) -> Columns {
        let parts = parts.filter { !$0.isEmpty }
        guard parts.count > 1 else { return parts.first ?? Columns() }
        let inTime = parts.sorted { $0.start < $1.start }
        if zip(inTime, inTime.dropFirst()).allSatisfy({ $0.end < $1.start }) {
            var result = Columns()
            result.reserveCapacity(parts.reduce(0) { $0 + $1.count })
            for part in inTime { result.append(part) }
            return result
        }
        return parts.dropFirst().reduce(parts[0]) { $0.overlaid(with: $1) }
    }

    private var start: Timestamp { self.times.first ?? .distantFuture }
    private var end: Timestamp { self.times.last ?? .distantPast }

    private mutating func append(_ part: Columns) {
        self.times.append(contentsOf: part.times)
        self.values.append(contentsOf: part.values)
        self.marks.append(contentsOf: part.marks)
    }

    private func overlaid(with other: Columns) -> Columns {
        var result = Columns()
        result.reserveCapacity(self.count + other.count)
        var (left, right) = (0, 0)
        while left < self.count, right < other.count {
            if self.times[left] < other.times[right] {
                result.append(self.times[left], self.values[left], self.marks[left])
                left += 1
            } else {
                if self.times[left] == other.times[right] { left += 1 }
                result.append(other.times[right], other.values[right], other.marks[right])
                right += 1
            }
        }
        while left < self.count {
            result.append(self.times[left], self.values[left], self.marks[left])
            left += 1
        }
        while right < other.count {
            result.append(other.times[right], other.values[right], other.marks[right])
            right += 1
        }
        return result
    }

    /// Those whose quality is admitted, marks without the bit that only the head knows.
    func admitted(by qualities: QualitySet) -> (times: [Timestamp], values: [Double], marks: [SampleMark]) {
        // Mostly all samples have the same mark.
        if let first = self.marks.first, self.marks.withUnsafeBufferPointer({ $0.areAll(first) }) {
            let mark = SampleMark(rawValue: first & ~SeriesHead.resident)
            guard qualities.admits(mark) else { return ([], [], []) }
            return (self.times, self.values, Array(repeating: mark, count: self.count))
        }
        let marks = self.plainMarks
        let kept = marks.indices.filter { qualities.admits(marks[$0]) }
        if kept.count == marks.count { return (self.times, self.values, marks) }
        return (kept.map { self.times[$0] }, kept.map { self.values[$0] }, kept.map { marks[$0] })
    }

    private var plainMarks: [SampleMark] {
        [SampleMark](unsafeUninitializedCapacity: self.marks.count) { buffer, count in
            for index in self.marks.indices {
                buffer.initializeElement(at: index, to: SampleMark(rawValue: self.marks[index] & ~SeriesHead.resident))
            }
            count = self.marks.count
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether there is nothing but `byte`; without a branch for each, so that many are looked at together.
    fileprivate func areAll(_ byte: UInt8) -> Bool { self.reduce(0) { $0 | ($1 ^ byte) } == 0 }
}

extension [Timestamp] {
    /// How many times are not later than `moment`, in sorted times.
    ///
    /// Samples of a device mostly come in even distances, so the search begins where the moment would be then: of a series
    /// that was not used lately each look elsewhere is a wait for memory.
    fileprivate func count(through moment: Timestamp) -> Int {
        self.withUnsafeBufferPointer { times in
            guard let first = times.first, let last = times.last, first <= moment else { return 0 }
            if last <= moment { return times.count }
            // times[low] <= moment < times[high] from here on.
            var (low, high) = (0, times.count - 1)
            let share = Double(moment - first) / Double(last - first)
            var probe = Swift.min(Int(share * Double(high)), high - 1)
            var step = 1
            while high - low > 1 {
                if times[probe] <= moment {
                    low = probe
                    probe = Swift.min(low + step, high - 1)
                } else {
                    high = probe
                    probe = Swift.max(high - step, low + 1)
                }
                step *= 2
                if step > 4 { probe = (low + high) / 2 }
            }
            return high
        }
    }
}
