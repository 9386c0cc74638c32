// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport

@testable import SeriesStorage

/// Random columns of one kind.
struct ChunkShape {
    enum Times: CaseIterable {
        case regular
        case jittered
        case gaps
        case jitteredWithGaps
        case irregular
        case bunched
        case extreme
    }

    enum Values: CaseIterable {
        case decimals
        case constant
        case linear
        case sparse
        case counter
        case outliers
        case binaryFractions
        case floats
        case decimalsWithOddities
        case manyNaN
        case anyBits
    }

    enum Marks: CaseIterable {
        case usual
        case mixed
    }

    let times: Times
    let values: Values
    let marks: Marks

    func columns(_ count: Int, _ random: inout SeededGenerator) -> Columns {
        let scales: [Double] = [1, 10, 100, 1000, 1e6, 1e9]
        let scale = scales.randomElement(using: &random) ?? 1
        var level = Int.random(in: -2000...2000, using: &random)
        return Columns(
            times: self.times(count, &random).map { Timestamp(milliseconds: $0) },
            values: (0..<count).map { self.value($0, scale, &level, &random) },
            marks: (0..<count)
                .map { _ in
                    self.marks == .mixed && Int.random(in: 0..<50, using: &random) == 0
                        ? UInt8.random(in: 0...255, using: &random) : SampleMark.measured.rawValue
                }
        )
    }

    private func times(_ count: Int, _ random: inout SeededGenerator) -> [Int64] {
        let interval: Int64 = ([1000, 60_000, 300_000, 86_400_000, 7] as [Int64]).randomElement(using: &random) ?? 1000
        var time: Int64 = self.times == .extreme ? .min : 1_700_000_000_123
        return (0..<count)
            .map { index in
                let now = time
                let isGap = Int.random(in: 0..<100, using: &random) == 0
                switch self.times {
                case .regular: time += interval
                case .jittered: time += interval
                case .gaps, .jitteredWithGaps:
                    time += interval * (isGap ? Int64.random(in: 1...900, using: &random) : 1)
                case .irregular: time += Int64.random(in: 1...10_000_000, using: &random)
                case .bunched: time += isGap ? Int64.random(in: 1...(1 << 40), using: &random) : 1
                case .extreme: time &+= Int64.max / Int64(count) &* 2 &- (isGap ? 1 : 0)
                }
                let isJittered = self.times == .jittered || self.times == .jitteredWithGaps
                return isJittered ? now + Int64.random(in: -(interval / 3)...interval / 3, using: &random) : now
            }
    }

    private func value(
        _ index: Int,
        _ scale: Double,
        _ level: inout Int,
        _ random: inout SeededGenerator
    ) -> Double {
        let isRare = Int.random(in: 0..<20, using: &random) == 0
        switch self.values {
        case .decimals:
            level += Int.random(in: -3...3, using: &random)
            return Double(level) / scale
        case .constant: return Double(level) / scale
        case .linear: return Double(level + index * 3) / scale
        case .sparse: return isRare ? Double(Int.random(in: 1...9, using: &random)) / 2 : 0
        case .counter:
            level += isRare ? Int.random(in: 0...100, using: &random) : 0
            return Double(level)
        case .outliers:
            level += Int.random(in: -3...3, using: &random)
            return Double(isRare ? Int.random(in: -(1 << 45)...1 << 45, using: &random) : level) / scale
        case .binaryFractions: return Double.random(in: -1e6...1e6, using: &random)
        case .floats: return Double(Float.random(in: -100...100, using: &random))
        case .decimalsWithOddities:
            level += Int.random(in: -3...3, using: &random)
            guard isRare else { return Double(level) / scale }
            let oddities = [
                Double.nan, .infinity, -.infinity, -0.0, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .pi,
                Double(bitPattern: 0x7FF0_0000_0000_0001), Double(nan: 77, signaling: false), 1e300, 0.1 + 0.2,
                9_007_199_254_740_994, -4_503_599_627_370_495.5, 0x1p51, -0x1p51, 1e-9, 123_456.789_012_345,
            ]
            return oddities.randomElement(using: &random) ?? .nan
        case .manyNaN:
            level += Int.random(in: -1...1, using: &random)
            return index / 7 % 2 == 0 ? .nan : Double(level) / scale
        case .anyBits: return Double(bitPattern: random.next())
        }
    }
}
