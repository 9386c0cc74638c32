// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The times of a chunk, strictly rising, in wrapping 64-bit milliseconds.
///
/// ```
/// form u8 · first or origin, signed varint · then
/// form 0 steps  IntegerColumn of the count − 1 differences
/// form 1 grid   interval varint · IntegerColumn of the count − 1 (steps on the grid − 1) ·
///               IntegerColumn of the count offsets; time = origin + interval × place on the grid + offset
/// ```
/// The regular column costs its first time and its interval. A clock that jitters about a grid is cheaper with the
/// grid, as each difference would hold the jitter of two.
enum TimeColumn {
    static func encode(_ times: UnsafeBufferPointer<Int64>, to writer: inout ByteWriter) {
        let count = times.count
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: 2 * count) { memory in
            guard let steps = memory.baseAddress, let start = times.baseAddress else { return }
            var isRegular = true
            for index in 0..<count &- 1 {
                steps[index] = start[index &+ 1] &- start[index]
                isRegular = isRegular && steps[index] == steps[0]
            }
            if !isRegular, let grid = Grid(times, steps) {
                let offsets = steps + count
                let widest = grid.place(times, steps, offsets)
                if widest {
                    writer.byte(1)
                    writer.signed(grid.origin)
                    writer.varint(UInt64(grid.interval))
                    IntegerColumn.encode(UnsafeBufferPointer(start: steps, count: count - 1), to: &writer)
                    IntegerColumn.encode(UnsafeBufferPointer(start: offsets, count: count), to: &writer)
                    return
                }
                for index in 0..<count &- 1 { steps[index] = start[index &+ 1] &- start[index] }
            }
            writer.byte(0)
            writer.signed(start[0])
            IntegerColumn.encode(UnsafeBufferPointer(start: steps, count: count - 1), to: &writer)
        }
    }

    static func decode(
        _ count: Int,
        into times: UnsafeMutablePointer<Int64>,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        let form = try reader.byte()
        guard form <= 1 else { throw reader.damaged("has an unknown form of times") }
        let first = try reader.signed()
        if form == 1 {
            try self.decodeGrid(count, origin: first, into: times, from: &reader)
            var isRising = true
            for index in 1..<count { isRising = isRising && times[index &- 1] < times[index] }
            guard isRising else { throw reader.damaged("has times that do not rise") }
            return
        }
        times[0] = first
        guard count > 1 else { return }
        if let interval = try IntegerColumn.constant(from: &reader) {
            // Unsigned, as the whole span may be wider than a signed number.
            let (span, overflow) = UInt64(bitPattern: interval).multipliedReportingOverflow(by: UInt64(count - 1))
            let place = UInt64(bitPattern: first) ^ 1 << 63
            guard interval != 0, !overflow, !place.addingReportingOverflow(span).overflow else {
                throw reader.damaged("has times that do not rise")
            }
            for index in 1..<count { times[index] = first &+ Int64(index) &* interval }
            return
        }
        try IntegerColumn.decode(count - 1, into: times + 1, from: &reader)
        var time = first
        var isRising = true
        for index in 1..<count {
            let next = time &+ times[index]
            isRising = isRising && next > time
            times[index] = next
            time = next
        }
        guard isRising else { throw reader.damaged("has times that do not rise") }
    }

    private static func decodeGrid(
        _ count: Int,
        origin: Int64,
        into times: UnsafeMutablePointer<Int64>,
        from reader: inout RawReader
    ) throws(DamagedBytes) {
        let interval = Int64(bitPattern: try reader.varint())
        let skipped = count > 1 ? try IntegerColumn.constant(from: &reader) : 0
        if let skipped {
            try IntegerColumn.decode(count, into: times, from: &reader)
            let step = (skipped &+ 1) &* interval
            for index in 0..<count { times[index] &+= origin &+ Int64(index) &* step }
            return
        }
        let steps = UnsafeMutablePointer<Int64>.allocate(capacity: count)
        defer { steps.deallocate() }
        try IntegerColumn.decode(count - 1, into: steps + 1, from: &reader)
        try IntegerColumn.decode(count, into: times, from: &reader)
        var place = origin
        times[0] &+= origin
        for index in 1..<count {
            place &+= (steps[index] &+ 1) &* interval
            times[index] &+= place
        }
    }
}

/// A regular grid near which times lie.
struct Grid {
    let origin: Int64
    let interval: Int64

    /// Finds one from the median step and the whole span; nil where the times are not near any.
    ///
    /// The span over the number of steps is exact to some ms, as jitter counts only at its ends; of the intervals so
    /// near, the roundest is the likeliest.
    init?(_ times: UnsafeBufferPointer<Int64>, _ steps: UnsafePointer<Int64>) {
        let count = times.count
        guard count >= 8, let first = times.first, let last = times.last else { return nil }
        let sample = (0..<min(count - 1, 63)).map { steps[$0 * (count - 1) / min(count - 1, 63)] }.sorted()
        let median = sample[sample.count / 2]
        let (span, overflow) = last.subtractingReportingOverflow(first)
        guard median > 1, !overflow, median < 1 << 40, sample[0] > 0 else { return nil }
        // How far steps lie from the median bounds the error at both ends.
        let spread = max(sample[sample.count * 3 / 4] - sample[sample.count / 4], 1)
        guard spread < median / 4 else { return nil }
        var places: Int64 = 0
        for index in 0..<count - 1 { places += max((steps[index] &+ median / 2) / median, 0) }
        guard places > 0 else { return nil }
        let interval = (span + places / 2) / places
        let error = max(2 * spread / places, 1)
        let units: [Int64] = [.minute, 30_000, 10_000, 5000, .second, 500, 100, 50, 10, 5]
        let round = units.lazy.map { (interval + $0 / 2) / $0 * $0 }.first { $0 > 0 && abs($0 - interval) <= error }
        self.interval = round ?? interval
        guard self.interval > 1, span / self.interval < 1 << 40 else { return nil }
        // The middle of the offsets of the first times, so that no place is rounded to its neighbour.
        var low = Int64.max
        var high = Int64.min
        for index in 0..<min(count, 64) {
            let distance = times[index] - first
            let place = (distance + self.interval / 2) / self.interval
            low = min(low, distance - place * self.interval)
            high = max(high, distance - place * self.interval)
        }
        self.origin = first &+ (low + high) / 2
    }

    /// Fills the steps on the grid − 1 and the offsets; false where that says no more than the steps themselves.
    func place(
        _ times: UnsafeBufferPointer<Int64>,
        _ steps: UnsafeMutablePointer<Int64>,
        _ offsets: UnsafeMutablePointer<Int64>
    ) -> Bool {
        var before: Int64 = 0
        var most: Int64 = 0
        var stepCost = 0
        var cost = 0
        for index in 0..<times.count {
            let distance = times[index] &- self.origin
            let half = self.interval >> 1
            // Nearly all lie by their next place; only the others need the division.
            let expected = index == 0 ? 0 : (before &+ 1) &* self.interval
            var place = index == 0 ? 0 : before &+ 1
            if (distance &- expected).magnitude > UInt64(half) {
                place = (distance &+ (distance < 0 ? -half : half)) / self.interval
            }
            offsets[index] = distance &- place &* self.interval
            most = max(most, Int64(clamping: offsets[index].magnitude))
            if index > 0 {
                let step = times[index] &- times[index - 1] &- self.interval
                stepCost &+= 64 &- step.magnitude.leadingZeroBitCount
                cost &+= 64 &- offsets[index].magnitude.leadingZeroBitCount
                steps[index &- 1] = place &- before &- 1
                if steps[index &- 1] != 0 { cost &+= 8 }
            }
            before = place
        }
        return cost < stepCost
    }
}
