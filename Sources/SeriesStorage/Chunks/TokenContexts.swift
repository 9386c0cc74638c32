// poyang
// SPDX-License-Identifier: Apache-2.0

/// What the tokens before say about the next one, as a number that follows from the one before and the token.
///
/// A noisy level returns: after steps up, steps down are likelier. A context is therefore the leaky sum of the last
/// steps, a step being the distance of a token from the chunk's commonest token, held to ±4. As it is a finite state
/// machine, the decoder's tables hold its next state, and it costs nothing to follow.
enum TokenContexts: UInt8, CaseIterable {
    /// One context: each token for itself.
    case none = 0
    /// Three: the sign of the step before.
    case sign = 1
    /// Seven: sum' = ¾ (sum + 2 step), held to ±3.
    case coarse = 2
    /// Seventeen: sum' = ⅞ (sum + 4 step), held to ±8.
    case fine = 3

    /// The largest sum.
    var reach: Int {
        switch self {
        case .none: 0
        case .sign: 1
        case .coarse: 3
        case .fine: 8
        }
    }

    var count: Int { 2 * self.reach + 1 }

    /// Where a lane begins.
    var first: Int { self.reach }

    /// The context after a step in −4...4.
    func next(_ context: Int, step: Int) -> Int {
        let sum = context - self.reach
        let next: Int
        switch self {
        case .none: next = 0
        case .sign: next = step
        case .coarse: next = (sum + 2 * step) * 12 / 16
        case .fine: next = (sum + 4 * step) * 14 / 16
        }
        return min(max(next, -self.reach), self.reach) + self.reach
    }

    static func step(_ token: Int, centre: Int) -> Int {
        min(max(token - centre, -4), 4)
    }
}
