// poyang
// SPDX-License-Identifier: Apache-2.0

/// A set of Unicode scalars.
struct ScalarSet: Hashable, Sendable {
    /// What is no range.
    enum Item: Hashable, Sendable {
        /// A general category by its short name, `L` or `Lu`.
        case category(String, isNegated: Bool)
        case complement(ScalarSet)
    }

    /// Rising, without overlap.
    private(set) var ranges: [ClosedRange<UInt32>] = []
    private(set) var items: [Item] = []
    var isNegated = false
    /// The members below 128, kept up to date with the others, before negation.
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// All scalars.
    static let any = ScalarSet(ranges: [0...0x10FFFF])

    init() {}

    init(ranges: [ClosedRange<UInt32>]) {
        self.insert(ranges)
    }

    init(_ scalar: Unicode.Scalar) {
        self.ranges = [scalar.value...scalar.value]
        self.note(scalar.value...scalar.value)
    }

    /// The only member, where there is just one.
    var single: Unicode.Scalar? {
        guard !self.isNegated, self.items.isEmpty, self.ranges.count == 1, let only = self.ranges.first,
            only.count == 1
        else { return nil }
        return Unicode.Scalar(only.lowerBound)
    }

    var isAny: Bool { self == .any }

    /// Adds many ranges at once, in any order.
    mutating func insert(_ added: [ClosedRange<UInt32>]) {
        for range in added { self.note(range) }
        var merged: [ClosedRange<UInt32>] = []
        for range in (self.ranges + added).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    mutating func insert(_ item: Item) {
        guard !self.items.contains(item) else { return }
        self.items.append(item)
        for value in UInt32(0)..<128 where Self.matches(item, value) { self.note(value...value) }
    }

    private mutating func note(_ range: ClosedRange<UInt32>) {
        guard range.lowerBound < 128 else { return }
        for value in range.lowerBound...min(127, range.upperBound) {
            if value < 64 { self.low |= 1 << UInt64(value) } else { self.high |= 1 << UInt64(value - 64) }
        }
    }

    func contains(_ value: UInt32) -> Bool {
        if value < 64 { return (self.low & (1 << UInt64(value)) != 0) != self.isNegated }
        if value < 128 { return (self.high & (1 << UInt64(value - 64)) != 0) != self.isNegated }
        let isMember = self.isInRanges(value) || self.items.contains { Self.matches($0, value) }
        return isMember != self.isNegated
    }

    private func isInRanges(_ value: UInt32) -> Bool {
        var first = 0
        var end = self.ranges.count
        while first < end {
            let middle = (first + end) / 2
            if self.ranges[middle].upperBound < value { first = middle + 1 } else { end = middle }
        }
        return first < self.ranges.count && self.ranges[first].lowerBound <= value
    }

    private static func matches(_ item: Item, _ value: UInt32) -> Bool {
        switch item {
        case .complement(let set): !set.contains(value)
        case .category(let name, let isNegated):
            (Unicode.Scalar(value)?.properties.generalCategory.shortName.hasPrefix(name) ?? false) != isNegated
        }
    }

    /// With the other cases of the letters in its ranges; `added` counts them.
    func ignoringCase(_ added: inout Int) -> ScalarSet {
        var result = self
        // Three letters may be one without case (`s S ſ`), of which two are found from the first.
        for _ in 0..<2 {
            let partners = result.ranges.flatMap { LetterCases.partners(of: $0) }
            added += partners.count
            result.insert(partners.map { $0...$0 })
        }
        return result
    }
}

/// Which letters differ only in case.
private enum LetterCases {
    /// Letters with another case, rising, and their partners at the same places.
    private static let table: (letters: [UInt32], partners: [UInt32]) = {
        var pairs: [(letter: UInt32, partner: UInt32)] = []
        // The last letters with cases are those of the Adlam script, which end at U+1E943.
        for value in UInt32(0x41)...0x1E943 {
            guard let scalar = Unicode.Scalar(value), scalar.properties.isCased else { continue }
            for mapped in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
                let scalars = mapped.unicodeScalars
                guard scalars.count == 1, let other = scalars.first, other != scalar else { continue }
                pairs.append((value, other.value))
                pairs.append((other.value, value))
            }
        }
        pairs.sort { ($0.letter, $0.partner) < ($1.letter, $1.partner) }
        return (pairs.map(\.letter), pairs.map(\.partner))
    }()

    /// What differs only in case from one of `range`.
    static func partners(of range: ClosedRange<UInt32>) -> ArraySlice<UInt32> {
        let letters = self.table.letters
        let first = self.place(of: range.lowerBound, in: letters)
        return self.table.partners[first..<self.place(of: range.upperBound + 1, in: letters)]
    }

    private static func place(of value: UInt32, in letters: [UInt32]) -> Int {
        var first = 0
        var end = letters.count
        while first < end {
            let middle = (first + end) / 2
            if letters[middle] < value { first = middle + 1 } else { end = middle }
        }
        return first
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
