// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What a matcher means in numbers.
enum SeriesCondition {
    enum Resolution {
        case always
        case never
        case when(SeriesCondition)
    }

    /// Has, or has not, this value.
    case value(UInt32, isThere: Bool)
    /// Has any value, or none, of this name.
    case name(UInt32, isThere: Bool)
    /// Has one of these values (rising), or has another value, of the name; a series without one is decided apart.
    case values(name: UInt32, [UInt32], isAmong: Bool, whenMissing: Bool)
    /// Has a value that the expression is asked for.
    case expression(ValueVerdicts)

    static func resolve(_ matcher: LabelMatcher, in index: LabelIndex, reader: IndexReader) -> Resolution {
        let name = index.locked { $0.text(matcher.name, owner: 0) }
        let whenMissing = matcher.matches("")
        // No series has the name.
        if name == 0 { return whenMissing ? .always : .never }
        switch matcher.operation {
        case .equal, .notEqual:
            return self.literals([matcher.value], of: matcher, name: name, whenMissing: whenMissing, index)
        case .matches, .notMatches:
            let isPositive = matcher.operation == .matches
            switch matcher.isLiteral ? .literals([matcher.value]) : PatternShape(pattern: matcher.value) {
            case .anything: return isPositive ? .always : .never
            case .nonEmpty: return .when(.name(name, isThere: isPositive))
            case .literals(let texts):
                // What the text says is asked of the expression too: it is the one that decides.
                let texts = texts.filter { matcher.matches($0) == isPositive }
                return self.literals(texts, of: matcher, name: name, whenMissing: whenMissing, index)
            case .prefix(let prefix, let more):
                let test = ValueVerdicts.Test.prefix(Array(prefix.utf8), more: more, isWanted: isPositive)
                return .when(.expression(ValueVerdicts(name: name, test, whenMissing: whenMissing, index)))
            case .opaque:
                return .when(.expression(ValueVerdicts(name: name, .matcher(matcher), whenMissing: whenMissing, index)))
            }
        }
    }

    private static func literals(
        _ texts: [String],
        of matcher: LabelMatcher,
        name: UInt32,
        whenMissing: Bool,
        _ index: LabelIndex
    ) -> Resolution {
        let isAmong = matcher.operation == .equal || matcher.operation == .matches
        let found = index.locked { state in
            texts.filter { !$0.isEmpty }.map { state.text($0, owner: name) }.filter { $0 != 0 }
        }
        let values = Set(found).sorted()
        switch (values.first, isAmong, whenMissing) {
        case (nil, true, true), (nil, false, false): return .when(.name(name, isThere: !isAmong))
        case (nil, true, false): return .never
        case (nil, false, true): return .always
        case (let value?, true, false) where values.count == 1: return .when(.value(value, isThere: true))
        case (let value?, false, true) where values.count == 1: return .when(.value(value, isThere: false))
        default: return .when(.values(name: name, values, isAmong: isAmong, whenMissing: whenMissing))
        }
    }

    /// In what order conditions are tried.
    var cost: Int {
        switch self {
        case .value: 0
        case .name: 1
        case .values: 2
        case .expression: 3
        }
    }

    /// The values of which a series must have one, where that is known without asking.
    var knownValues: [UInt32]? {
        switch self {
        case .value(let value, isThere: true): [value]
        case .values(_, let values, isAmong: true, whenMissing: false): values
        case .value, .name, .values, .expression: nil
        }
    }

    /// The name of which a series must have a value, where it is not known which.
    var expandableName: UInt32? {
        switch self {
        case .name(let name, isThere: true): name
        case .values(let name, _, _, whenMissing: false): name
        case .expression(let verdicts): verdicts.whenMissing ? nil : verdicts.name
        case .value, .name, .values: nil
        }
    }

    /// Whether a value of the name meets it.
    func admits(_ value: UInt32, reader: IndexReader) -> Bool {
        switch self {
        case .value(let wanted, let isThere): (value == wanted) == isThere
        case .name(_, let isThere): isThere
        case .values(_, let values, let isAmong, _): values.containsRising(value) == isAmong
        case .expression(let verdicts): verdicts.admits(value, reader: reader)
        }
    }

    /// Leaves the series that meet it.
    func filter(_ series: inout [SeriesID], reader: IndexReader) {
        switch self {
        case .value(let value, let isThere):
            series.keep { reader.has(value, $0) == isThere }
        case .name(let name, let isThere):
            series.keep { (reader.pair(of: name, $0) != 0) == isThere }
        case .values(let name, let values, let isAmong, let whenMissing):
            series.keep { number in
                let value = reader.pair(of: name, number)
                return value == 0 ? whenMissing : values.containsRising(value) == isAmong
            }
        case .expression(let verdicts):
            series.keep { number in
                let value = reader.pair(of: verdicts.name, number)
                return value == 0 ? verdicts.whenMissing : verdicts.admits(value, reader: reader)
            }
        }
    }
}

/// Which values an expression admits; each is asked for once.
final class ValueVerdicts {
    enum Test {
        case matcher(LabelMatcher)
        /// Begins with these bytes and is so many longer at least; or not.
        case prefix([UInt8], more: Int, isWanted: Bool)
    }

    let name: UInt32
    let whenMissing: Bool
    private let test: Test
    /// Two bits a value: whether it was asked for, and the answer.
    ///
    /// Values that came later are not remembered.
    private var known: [UInt64]

    init(name: UInt32, _ test: Test, whenMissing: Bool, _ index: LabelIndex) {
        self.name = name
        self.test = test
        self.whenMissing = whenMissing
        self.known = [UInt64](repeating: 0, count: index.locked { $0.textLimit } / 32 + 1)
    }

    @inline(__always)
    func admits(_ value: UInt32, reader: IndexReader) -> Bool {
        if case .prefix(let prefix, let more, let isWanted) = self.test {
            let text = reader.utf8(of: value)
            guard text.count >= prefix.count + more else { return !isWanted }
            for index in prefix.indices where text[index] != prefix[index] { return !isWanted }
            return isWanted
        }
        return self.asked(value, reader: reader)
    }

    private func asked(_ value: UInt32, reader: IndexReader) -> Bool {
        guard case .matcher(let matcher) = self.test else { return false }
        let word = Int(value >> 5)
        let shift = UInt64(value & 31) * 2
        guard word < self.known.count else { return matcher.matches(reader.string(of: value)) }
        let seen = self.known[word] >> shift & 3
        if seen != 0 { return seen == 3 }
        let verdict = matcher.matches(reader.string(of: value))
        self.known[word] |= (verdict ? 3 : 1) << shift
        return verdict
    }
}

extension [SeriesID] {
    /// Removes those that `body` refuses, in place.
    @inline(__always)
    fileprivate mutating func keep(_ body: (UInt32) -> Bool) {
        let kept = self.withUnsafeMutableBufferPointer { buffer in
            var kept = 0
            for index in buffer.indices where body(buffer[index].rawValue) {
                buffer[kept] = buffer[index]
                kept += 1
            }
            return kept
        }
        self.removeLast(self.count - kept)
    }
}

extension [UInt32] {
    @inline(__always)
    fileprivate func containsRising(_ number: UInt32) -> Bool {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low < self.count && self[low] == number
    }
}
