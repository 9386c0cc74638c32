// poyang
// SPDX-License-Identifier: Apache-2.0

/// Entropy coder of tokens below 256: table-driven asymmetric numeral systems (Duda 2013, "tANS").
///
/// ```
/// ┌───────┬────────────┬──────────────────┬────────────────────────────────────────────────────────────┐
/// │ shape │ tokens − 1 │ commonest token  │ bits, lowest first, to the next whole byte                 │
/// │ u8    │ u8         │ u8, if contexts  │ weights of each context, unless flat · first states · code │
/// └───────┴────────────┴──────────────────┴────────────────────────────────────────────────────────────┘
/// shape    0x0F log2 of the table size, 5...10; 0x30 contexts (TokenContexts); 0x40 flat: all tokens are as likely;
///          0x80 four lanes, otherwise one
/// weights  TokenFrequencies, with 2 bits of precision where there are contexts, otherwise 3
/// ```
/// Lane l of four has the tokens from l × (count / 4) on, the last one also the remainder; each has its own state of
/// log2 bits and its own context. The code has turn by turn the bits that each lane's token needs for its next state;
/// the last states are 0.
///
/// Of the n states of a context, a token has as many as its frequency: counting from state 0 in steps of
/// n/2 + n/8 + 3 modulo n, first all of token 0, then all of token 1 and so on. In rising order the states of a token
/// of frequency f have the numbers f..<2f; the one with number x takes w = log2 n − ⌊log2 x⌋ bits of the code, and
/// the next state is x × 2^w − n plus these bits, in the table of the next context.
struct TokenCoder {
    let contexts: TokenContexts
    let isFlat: Bool
    /// Tokens are below this.
    let size: Int
    let centre: Int
    let log: Int
    let hasLanes: Bool

    static let lanesFrom = 512
    static let logs = 5...10

    var precision: Int { self.contexts == .none ? 3 : 2 }

    init(count: Int, size: Int, contexts: TokenContexts, centre: Int, isFlat: Bool) {
        self.contexts = contexts
        self.isFlat = isFlat
        self.size = size
        self.centre = centre
        self.hasLanes = count >= Self.lanesFrom
        let enough = Int.bitWidth - (2 * size - 1).leadingZeroBitCount
        let wanted = (Int.bitWidth - count.leadingZeroBitCount) - 3
        let most = contexts == .none ? 10 : 8
        self.log = max(min(max(wanted, 5), most), enough)
    }
}
