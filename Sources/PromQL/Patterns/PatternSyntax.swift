// poyang
// SPDX-License-Identifier: Apache-2.0

/// The tree of a regular expression.
indirect enum PatternNode: Sendable {
    case empty
    case set(ScalarSet)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    case repeated(PatternNode, least: Int, most: Int?, isGreedy: Bool)
    /// Capturing.
    case group(PatternNode, index: Int)
    case assertion(PatternAssertion)
}

enum PatternAssertion: Hashable, Sendable {
    case textStart
    case textEnd
    case lineStart
    case lineEnd
    case wordBoundary
    case noWordBoundary
}

/// A set of Unicode scalars.
struct ScalarSet: Hashable, Sendable {
    enum Item: Hashable, Sendable {
        case range(UInt32, UInt32)
        /// A general category by its short name, `L` or `Lu`.
        case category(String, isNegated: Bool)
        case complement(ScalarSet)
    }

    private(set) var items: [Item] = []
    var isNegated = false
    /// The members below 128, kept up to date with `items`, before negation.
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// All scalars.
    static let any = ScalarSet(ranges: [(0, 0x10FFFF)])

    init() {}

    init(ranges: [(UInt32, UInt32)]) {
        for range in ranges { self.insert(.range(range.0, range.1)) }
    }

    init(_ scalar: Unicode.Scalar) {
        self.insert(.range(scalar.value, scalar.value))
    }

    /// The only member, where there is just one.
    var single: Unicode.Scalar? {
        guard !self.isNegated, self.items.count == 1, case .range(let first, let last) = self.items[0], first == last
        else { return nil }
        return Unicode.Scalar(first)
    }

    var isAny: Bool { self == .any }

    mutating func insert(_ item: Item) {
        self.items.append(item)
        for value in UInt32(0)..<128 where Self.matches(item, value) {
            if value < 64 { self.low |= 1 << UInt64(value) } else { self.high |= 1 << UInt64(value - 64) }
        }
    }

    func contains(_ value: UInt32) -> Bool {
        if value < 64 { return (self.low & (1 << UInt64(value)) != 0) != self.isNegated }
        if value < 128 { return (self.high & (1 << UInt64(value - 64)) != 0) != self.isNegated }
        return self.items.contains { Self.matches($0, value) } != self.isNegated
    }

    private static func matches(_ item: Item, _ value: UInt32) -> Bool {
        switch item {
        case .range(let first, let last): first <= value && value <= last
        case .complement(let set): !set.contains(value)
        case .category(let name, let isNegated):
            (Unicode.Scalar(value)?.properties.generalCategory.shortName.hasPrefix(name) ?? false) != isNegated
        }
    }

    /// With the other cases of the letters in it.
    func ignoringCase() -> ScalarSet {
        var result = self
        for case .range(let first, let last) in self.items where last - first <= 2048 {
            for value in first...last {
                guard let scalar = Unicode.Scalar(value) else { continue }
                for mapped in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
                    let scalars = mapped.unicodeScalars
                    guard scalars.count == 1, let other = scalars.first, other != scalar else { continue }
                    result.insert(.range(other.value, other.value))
                }
            }
        }
        return result
    }
}

extension Unicode.GeneralCategory {
    fileprivate var shortName: String {
        switch self {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        case .unassigned: "Cn"
        @unknown default: "Cn"
        }
    }
}
