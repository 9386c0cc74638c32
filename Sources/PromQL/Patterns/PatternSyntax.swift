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
