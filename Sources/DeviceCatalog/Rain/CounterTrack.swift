// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The newest readings of one counter, in the order of their times.
struct CounterTrack {
    /// More readings than this are cut to half of it; what is older is in the store.
    static let capacity = 4096

    var samples: [Sample]
    /// Whether the store may hold readings that are older than the first of ``samples``.
    var isCut: Bool

    /// Whether what stood before a reading at this time may have been cut off.
    func mayMiss(before time: Timestamp) -> Bool {
        self.isCut && self.samples.first.map { time <= $0.time } ?? true
    }

    /// The first millisecond from `time` on that no reading has.
    func free(from time: Timestamp) -> Timestamp {
        var free = time
        for sample in self.samples[self.place(of: time)...] where sample.time == free { free = free + 1 }
        return free
    }

    /// Puts a reading in its place; one of the same time is replaced.
    ///
    /// - Returns: Its neighbours.
    mutating func insert(_ sample: Sample) -> (before: Sample?, after: Sample?) {
        var index = self.place(of: sample.time)
        if index < self.samples.count, self.samples[index].time == sample.time {
            self.samples[index] = sample
        } else {
            self.samples.insert(sample, at: index)
        }
        let before = index > 0 ? self.samples[index - 1] : nil
        index += 1
        let after = index < self.samples.count ? self.samples[index] : nil
        if self.samples.count > Self.capacity {
            self.samples.removeFirst(Self.capacity / 2)
            self.isCut = true
        }
        return (before, after)
    }

    /// The place of the first reading that is not before `time`.
    private func place(of time: Timestamp) -> Int {
        var low = 0
        var high = self.samples.count
        while low < high {
            let middle = (low + high) / 2
            if self.samples[middle].time < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
