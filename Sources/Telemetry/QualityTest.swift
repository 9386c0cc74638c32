// poyang
// SPDX-License-Identifier: Apache-2.0

/// A plausibility test that makes a value suspect, after the QARTOD manuals of IOOS.
///
/// The number is what a sample's mark holds of it (``SampleMark``); numbers are never reused.
package enum QualityTest: UInt8, CaseIterable, Hashable, Sendable, Codable {
    /// The device itself, or who sent the value, called it suspect.
    case sender = 3
    /// Outside what the place or the instrument makes plausible; beyond physical bounds the flag is 4.
    case grossRange = 5
    /// Outside what the month makes plausible.
    case climatology = 6
    /// Changed faster than it can, and has neither come back nor stayed for long enough.
    case rateOfChange = 7
    /// Stands out from the values before and behind it; known when the next value is there.
    case spike = 8
    /// Has not moved for too long.
    case flatLine = 10
    /// The first after a gap.
    case gap = 11
    /// Disagrees with its neighbours.
    case neighbour = 12
    /// One of a row of values that are the same as another series' own.
    case identical = 13
}

extension QualityTest: CustomStringConvertible {
    /// The name in files, tables and on the wire: `rate_of_change`.
    package var description: String {
        switch self {
        case .sender: "sender"
        case .grossRange: "gross_range"
        case .climatology: "climatology"
        case .rateOfChange: "rate_of_change"
        case .spike: "spike"
        case .flatLine: "flat_line"
        case .gap: "gap"
        case .neighbour: "neighbour"
        case .identical: "identical"
        }
    }

    package init?(name: some StringProtocol) {
        guard let test = QualityTest.allCases.first(where: { $0.description == name }) else { return nil }
        self = test
    }

    /// What people call it.
    package var title: LocalizedName {
        switch self {
        case .sender: LocalizedName(zh: "发送方标记", en: "flagged by its sender")
        case .grossRange: LocalizedName(zh: "超出合理范围", en: "outside its plausible range")
        case .climatology: LocalizedName(zh: "超出当月气候范围", en: "unusual for the month")
        case .rateOfChange: LocalizedName(zh: "变化过快", en: "changed too fast")
        case .spike: LocalizedName(zh: "尖峰", en: "a spike")
        case .flatLine: LocalizedName(zh: "长时间不变", en: "has not moved for long")
        case .gap: LocalizedName(zh: "缺报后首值", en: "the first after a gap")
        case .neighbour: LocalizedName(zh: "与邻站不符", en: "disagrees with its neighbours")
        case .identical: LocalizedName(zh: "与他站雷同", en: "the same as another series")
        }
    }
}
