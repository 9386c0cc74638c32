// poyang
// SPDX-License-Identifier: Apache-2.0

import MQTTIngest
import Telemetry
import Testing

struct BackOffTests {
    @Test func doublesToTheLongestWaitAndNeverBeyond() {
        var backOff = BackOff(first: 100, longest: 30_000)
        var generator = SystemRandomNumberGenerator()
        for attempt in 0..<100 {
            let whole: Milliseconds = min(30_000, 100 << Int64(min(attempt, 20)))
            let wait = backOff.next(using: &generator)
            #expect((whole / 2...whole).contains(wait))
        }
        backOff.reset()
        #expect(backOff.next(using: &generator) <= 100)
    }
}
