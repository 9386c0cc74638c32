// poyang
// SPDX-License-Identifier: Apache-2.0

/// The QARTOD flag of a value (IOOS QARTOD manual, section "flags").
package enum Quality: UInt8, CaseIterable, Sendable, Codable {
    case pass = 1
    case notEvaluated = 2
    case suspect = 3
    case fail = 4
    case missing = 9
}

/// How a value came to be.
package enum Method: UInt8, CaseIterable, Sendable {
    case measured = 0
    /// Read by a person (人工置数).
    case manual = 1
    /// Computed between two readings by the sender.
    case interpolated = 2
    /// A difference that stands for the whole time since the sample before it.
    case gapTotal = 3
}

extension Method: CustomStringConvertible {
    /// The name on the wire: `measured`, `manual`, `interpolated`, `gap_total`.
    package var description: String {
        switch self {
        case .measured: "measured"
        case .manual: "manual"
        case .interpolated: "interpolated"
        case .gapTotal: "gap_total"
        }
    }

    package init?(name: some StringProtocol) {
        guard let method = Method.allCases.first(where: { $0.description == name }) else { return nil }
        self = method
    }
}

/// Quality, the test that was failed, method and the simulated mark of one sample in a byte.
///
/// ```
/// bit  7   6          5 4      3 2 1 0
///      0   simulated  method   quality
/// ```
/// The bits of quality are the flag, 1, 2, 4 or 9; of a suspect value (3) they name the test that it failed, as
/// ``QualityTest`` numbers them.
public struct SampleMark: Hashable, Sendable, RawRepresentable {
    /// As drawn above.
    public var rawValue: UInt8

    /// Takes the bits as they are.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// By all bits.
    @inlinable
    public static func == (left: SampleMark, right: SampleMark) -> Bool { left.rawValue == right.rawValue }

    package init(quality: Quality, method: Method = .measured, simulated: Bool = false) {
        self.rawValue = quality.rawValue | (method.rawValue << 4) | (simulated ? 0x40 : 0)
    }

    /// A suspect value, by the test that it failed.
    package init(failed test: QualityTest, method: Method = .measured, simulated: Bool = false) {
        self.rawValue = test.rawValue | (method.rawValue << 4) | (simulated ? 0x40 : 0)
    }

    /// Unknown bit patterns, which only a damaged store holds, read as `fail`.
    package var quality: Quality {
        if QualitySet.suspect.admits(self) { return .suspect }
        return Quality(rawValue: self.rawValue & 0x0F) ?? .fail
    }

    /// The test that a value failed which is suspect, or beyond physical bounds; nil for all others.
    package var failedTest: QualityTest? {
        let code = self.rawValue & 0x0F
        return code == Quality.fail.rawValue ? .grossRange : QualityTest(rawValue: code)
    }

    /// The same with the flag, and the failed test, of another.
    package func withQuality(of other: SampleMark) -> SampleMark {
        SampleMark(rawValue: self.rawValue & 0x70 | other.rawValue & 0x0F)
    }

    /// Whether flag and failed test are those of another.
    package func hasQuality(of other: SampleMark) -> Bool { self.rawValue & 0x0F == other.rawValue & 0x0F }

    package var method: Method { Method(rawValue: (self.rawValue >> 4) & 0x3) ?? .measured }
    package var isSimulated: Bool { self.rawValue & 0x40 != 0 }

    package static let measured = SampleMark(quality: .notEvaluated)
}

/// One value of a series at its event time.
package struct Sample: Hashable, Sendable {
    /// Event time: when it was so in the field.
    package var time: Timestamp
    package var value: Double
    package var mark: SampleMark

    package init(time: Timestamp, value: Double, mark: SampleMark = .measured) {
        self.time = time
        self.value = value
        self.mark = mark
    }
}

/// A set of quality flags.
///
/// Public for the same reason as ``Timestamp``.
public struct QualitySet: OptionSet, Hashable, Sendable {
    /// Bit 1 << flag for each flag.
    public let rawValue: UInt16

    /// Takes the bits as they are.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    package init(_ quality: Quality) {
        self.rawValue = quality == .suspect ? QualitySet.suspect.rawValue : 1 << quality.rawValue
    }

    /// What failed one test.
    package init(failed test: QualityTest) { self.rawValue = 1 << test.rawValue }

    /// Flag 3, whatever the failed test: a bit for each number of a ``QualityTest``.
    package static let suspect = QualitySet(rawValue: 0b0011_1101_1110_1000)

    /// What queries see: pass and not evaluated.
    package static let trusted = QualitySet([QualitySet(.pass), QualitySet(.notEvaluated)])
    /// What may raise a warning: the trusted and the suspect.
    package static let raising = trusted.union(QualitySet(.suspect))
    package static let all = QualitySet(rawValue: .max)

    /// Whether the quality of a mark is in the set.
    @inlinable
    public func admits(_ mark: SampleMark) -> Bool {
        self.rawValue & (1 << (mark.rawValue & 0x0F)) != 0
    }
}

/// What a computed result rests on, gathered from the samples that were read for it.
package struct Evidence: OptionSet, Hashable, Sendable, Codable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A suspect value that failed this test.
    package init(failed test: QualityTest) {
        self.rawValue = Evidence.suspect.rawValue | 1 << (8 + UInt32(test.rawValue))
    }

    package static let interpolated = Evidence(rawValue: 1)
    package static let manual = Evidence(rawValue: 2)
    package static let gapTotal = Evidence(rawValue: 4)
    /// A value that failed a plausibility test: the result is unconfirmed (未核实).
    package static let suspect = Evidence(rawValue: 8)
    package static let simulated = Evidence(rawValue: 16)

    package init(_ mark: SampleMark) {
        var evidence: Evidence
        switch mark.method {
        case .measured: evidence = []
        case .manual: evidence = .manual
        case .interpolated: evidence = .interpolated
        case .gapTotal: evidence = .gapTotal
        }
        if mark.quality == .suspect {
            evidence.insert(.suspect)
            if let test = mark.failedTest { evidence.insert(Evidence(failed: test)) }
        }
        if mark.isSimulated { evidence.insert(.simulated) }
        self = evidence
    }
}

extension Evidence {
    /// The tests that suspect values failed, in the order of their numbers.
    package var failedTests: [QualityTest] {
        QualityTest.allCases.filter { self.contains(Evidence(failed: $0)) }
    }
}

/// The number of a series inside one store; never reused.
package struct SeriesID: Hashable, Comparable, Sendable, RawRepresentable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static func < (left: SeriesID, right: SeriesID) -> Bool { left.rawValue < right.rawValue }
}
