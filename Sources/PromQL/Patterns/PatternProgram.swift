// poyang
// SPDX-License-Identifier: Apache-2.0

/// A regular expression as a program for a machine that tries all ways at once: time is linear in the text.
///
/// Source: Russ Cox, "Regular Expression Matching: the Virtual Machine Approach" (Pike's machine).
struct PatternProgram: Sendable {
    /// Larger programs are refused.
    static let maximumSize = 20_000
    /// Places of groups that all threads together may have.
    private static let maximumSaved = 4_000_000

    private enum Instruction: Sendable {
        case set(ScalarSet)
        /// Tries the first way before the second.
        case split(Int, Int)
        case jump(Int)
        case save(Int)
        case assertion(PatternAssertion)
        case match
    }

    private var instructions: [Instruction] = []
    /// Repetitions of nothing emit no instruction, but must be counted, too.
    private var emitted = 0
    let groupCount: Int
    private let savesGroups: Bool

    /// - Parameters:
    ///   - node: The tree of the pattern.
    ///   - groupCount: How many groups the pattern has.
    ///   - savesGroups: Whether anybody will ask for ``groups(in:)``.
    /// - Throws: ``PromQLError`` when repetitions blow the program up.
    init(_ node: PatternNode, groupCount: Int, savesGroups: Bool) throws(PromQLError) {
        self.groupCount = savesGroups ? groupCount : 0
        self.savesGroups = savesGroups
        try self.emit(node)
        try self.append(.assertion(.textEnd))
        try self.append(.match)
        guard !savesGroups || (2 * groupCount + 2) * self.instructions.count <= Self.maximumSaved else {
            throw PromQLError(.syntax, "expression too large")
        }
    }

    private mutating func append(_ instruction: Instruction) throws(PromQLError) {
        guard self.instructions.count < Self.maximumSize else { throw PromQLError(.syntax, "expression too large") }
        self.instructions.append(instruction)
    }

    private mutating func emit(_ node: PatternNode) throws(PromQLError) {
        self.emitted += 1
        guard self.emitted <= Self.maximumSize else { throw PromQLError(.syntax, "expression too large") }
        switch node {
        case .empty: break
        case .set(let set): try self.append(.set(set))
        case .assertion(let assertion): try self.append(.assertion(assertion))
        case .sequence(let nodes): for node in nodes { try self.emit(node) }
        case .group(let inner, let index):
            if self.savesGroups { try self.append(.save(2 * index)) }
            try self.emit(inner)
            if self.savesGroups { try self.append(.save(2 * index + 1)) }
        case .alternatives(let branches):
            var jumps: [Int] = []
            for (place, branch) in branches.enumerated() {
                let split = self.instructions.count
                let isLast = place == branches.count - 1
                if !isLast { try self.append(.jump(0)) }
                try self.emit(branch)
                if !isLast {
                    jumps.append(self.instructions.count)
                    try self.append(.jump(0))
                    self.instructions[split] = .split(split + 1, self.instructions.count)
                }
            }
            for jump in jumps { self.instructions[jump] = .jump(self.instructions.count) }
        case .repeated(let inner, let least, let most, let isGreedy):
            for _ in 0..<least { try self.emit(inner) }
            if let most {
                var splits: [Int] = []
                for _ in least..<most {
                    splits.append(self.instructions.count)
                    try self.append(.jump(0))
                    try self.emit(inner)
                }
                for split in splits { self.setSplit(split, into: split + 1, over: self.instructions.count, isGreedy) }
            } else {
                let split = self.instructions.count
                try self.append(.jump(0))
                try self.emit(inner)
                try self.append(.jump(split))
                self.setSplit(split, into: split + 1, over: self.instructions.count, isGreedy)
            }
        }
    }

    private mutating func setSplit(_ place: Int, into inner: Int, over next: Int, _ isGreedy: Bool) {
        self.instructions[place] = isGreedy ? .split(inner, next) : .split(next, inner)
    }

    // MARK: Running

    private struct Thread {
        var place: Int
        /// Start and end of each group in scalars, −1 where it took no part; empty when nobody asks.
        var saved: [Int]
    }

    /// Whether the whole text matches.
    func matches(_ text: String) -> Bool {
        self.run(text, wantsGroups: false) != nil
    }

    /// Start and end of the whole and of each group, in scalars; nil where the whole text does not match.
    func groups(in text: String) -> [Int]? {
        self.run(text, wantsGroups: true)
    }

    private func run(_ text: String, wantsGroups: Bool) -> [Int]? {
        let scalars = text.unicodeScalars
        var seenAt = [Int](repeating: -1, count: self.instructions.count)
        var threads: [Thread] = []
        var next: [Thread] = []
        var position = 0
        var before: UInt32?
        let start = Thread(place: 0, saved: wantsGroups ? [Int](repeating: -1, count: 2 * self.groupCount + 2) : [])
        var iterator = scalars.makeIterator()
        var current = iterator.next()?.value
        self.follow(start, at: position, before, current, &seenAt, &threads)
        while let scalar = current {
            if threads.isEmpty { return nil }
            let following = iterator.next()?.value
            position += 1
            before = scalar
            next.removeAll(keepingCapacity: true)
            for thread in threads {
                guard case .set(let set) = self.instructions[thread.place], set.contains(scalar) else { continue }
                let step = Thread(place: thread.place + 1, saved: thread.saved)
                self.follow(step, at: position, before, following, &seenAt, &next)
            }
            swap(&threads, &next)
            current = following
        }
        for thread in threads {
            if case .match = self.instructions[thread.place] {
                var saved = thread.saved
                if wantsGroups {
                    saved[0] = 0
                    saved[1] = position
                }
                return saved
            }
        }
        return nil
    }

    /// Adds the places that a thread reaches without reading, the preferred way first.
    private func follow(
        _ thread: Thread,
        at position: Int,
        _ before: UInt32?,
        _ after: UInt32?,
        _ seenAt: inout [Int],
        _ threads: inout [Thread]
    ) {
        var pending = [thread]
        while var current = pending.popLast() {
            while seenAt[current.place] != position {
                seenAt[current.place] = position
                switch self.instructions[current.place] {
                case .set, .match:
                    threads.append(current)
                case .jump(let target):
                    current.place = target
                    continue
                case .split(let first, let second):
                    pending.append(Thread(place: second, saved: current.saved))
                    current.place = first
                    continue
                case .save(let slot):
                    if slot < current.saved.count { current.saved[slot] = position }
                    current.place += 1
                    continue
                case .assertion(let assertion):
                    guard Self.holds(assertion, before, after) else { break }
                    current.place += 1
                    continue
                }
                break
            }
        }
    }

    private static func holds(_ assertion: PatternAssertion, _ before: UInt32?, _ after: UInt32?) -> Bool {
        switch assertion {
        case .textStart: before == nil
        case .textEnd: after == nil
        case .lineStart: before == nil || before == 10
        case .lineEnd: after == nil || after == 10
        case .wordBoundary: self.isWord(before) != self.isWord(after)
        case .noWordBoundary: self.isWord(before) == self.isWord(after)
        }
    }

    private static func isWord(_ value: UInt32?) -> Bool {
        guard let value, value < 128 else { return false }
        return UInt8(value).isNameStart || UInt8(value).isDigit
    }
}
