// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import EarlyWarning

struct AlertStateMachineTests {
    /// Plays a timeline of which one character is five minutes.
    ///
    /// In: `b` breached, `l` lingers, `.` over, `c` cleared, `u` unknown, `w` threshold
    /// withdrawn; out: `-` nothing, `R` raised, `E` ended, `H` held, `S` resumed, `X` resumed and ended.
    @Test(arguments: [
        // for 0: raised and ended at once
        (0, 0, "..b..", "--RE-"),
        (0, 0, "bllc.", "R--E-"),
        (0, 0, "bbcb", "R-ER"),
        // for 10 min
        (10, 0, ".bbb.", "---RE"),
        (10, 0, "bb.bb", "-----"),
        (10, 0, "bblbbb", "-----R"),
        (10, 0, "bbubc", "---RE"),
        // keep_firing_for 10 min
        (0, 10, "b...", "R--E"),
        (0, 10, "b..b...", "R-----E"),
        (0, 10, "bc", "RE"),
        // silence holds and never ends
        (0, 0, "buuuu", "RH---"),
        (0, 0, "buub.", "RH-SE"),
        (0, 0, "buu.", "RH-X"),
        (0, 0, "buuc", "RH-X"),
        (0, 0, "buulc", "RH-SE"),
        (0, 10, "bu...", "RHS-E"),
        // nothing to hold
        (0, 0, "uu.b", "---R"),
        // a threshold that is withdrawn
        (0, 0, "bw.b", "RE-R"),
        (0, 0, "buw", "RHE"),
    ])
    func timeline(hold: Int64, keep: Int64, input: String, expected: String) {
        var machine = AlertStateMachine()
        var output = ""
        for (index, character) in input.enumerated() {
            let time = Timestamp(milliseconds: Int64(index) * 5 * .minute)
            let actions = machine.observe(
                Self.verdict(character),
                at: time,
                hold: hold * .minute,
                keepFiringFor: keep * .minute
            )
            output += Self.text(actions)
        }
        #expect(output == expected)
    }

    @Test func tellsWhenItChangesByItself() {
        var machine = AlertStateMachine()
        _ = machine.observe(.fires, at: Timestamp(milliseconds: 1000), hold: 500, keepFiringFor: 0)
        #expect(machine.due(hold: 500, keepFiringFor: 0) == Timestamp(milliseconds: 1500))
        _ = machine.observe(.fires, at: Timestamp(milliseconds: 1500), hold: 500, keepFiringFor: 300)
        #expect(machine.due(hold: 500, keepFiringFor: 300) == .distantFuture)
        _ = machine.observe(.over, at: Timestamp(milliseconds: 1600), hold: 500, keepFiringFor: 300)
        #expect(machine.due(hold: 500, keepFiringFor: 300) == Timestamp(milliseconds: 1900))
    }

    private static func verdict(_ character: Character) -> AlertStateMachine.Verdict {
        switch character {
        case "b": .fires
        case "l": .lingers
        case "c": .cleared
        case "u": .unknown(reason: "no_data")
        case "w": .withdrawn(reason: "threshold_withdrawn")
        default: .over
        }
    }

    private static func text(_ actions: [AlertStateMachine.Action]) -> String {
        guard let first = actions.first else { return "-" }
        if actions.count == 2 { return "X" }
        switch first {
        case .raise: return "R"
        case .end: return "E"
        case .hold: return "H"
        case .resume: return "S"
        }
    }
}
