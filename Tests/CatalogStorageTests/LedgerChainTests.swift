// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import CatalogStorage

/// A fact's hash stands for all facts before it, too: none can be exchanged without those that follow.
struct LedgerChainTests {
    @Test func theSameFactAfterAnotherPastHasAnotherHash() {
        let time = Timestamp(milliseconds: 1_535_752_800_000)
        let fact = LedgerFact(number: "1", time: time, processedAt: time, kind: "issued", who: "", what: "blue")
        let past = ["a", "b"].map { LedgerChain.hash(after: $0, sequence: 2, fact: fact) }
        #expect(past[0] != past[1])
    }
}
