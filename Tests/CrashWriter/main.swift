// poyang
// SPDX-License-Identifier: Apache-2.0

// The victim of the crash tests.
//
//     CrashWriter crash DIRECTORY FIRST-BATCH full|off
//
// Commits, applies and seals what `CrashScript` says, and merges, removes, thins and copies beside it, until it is
// killed. Writes to standard output `committed N` after each commit that returned, `removed N` when the fleeting samples
// up to batch N are to be gone, and `copied N FILE` when a copy holds everything up to batch N.
//
//     CrashWriter errors DIRECTORY BATCHES ROUNDS
//
// Does the same on one thread while calls fail (Tests/Faults/ioerror.c), and repeats what fails, round by round with a
// pause of the faults in between. Writes `failed CODE` for each refusal, and `faults N` at its end.

import CrashScript
import Foundation
import SeriesStorage
import Telemetry

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(1)
}

func report(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

let arguments = CommandLine.arguments
do {
    switch arguments.dropFirst().first {
    case "crash" where arguments.count == 5:
        guard let first = Int(arguments[3]) else { fail("FIRST-BATCH is no number") }
        try CrashVictim(directory: arguments[2], synchronous: arguments[4] == "off" ? .off : .full).run(from: first)
    case "errors" where arguments.count == 5:
        guard let batches = Int(arguments[3]), let rounds = Int(arguments[4]), let faults = Faults() else {
            fail("BATCHES or ROUNDS is no number, or the faults are not preloaded")
        }
        try FaultVictim(directory: arguments[2], faults: faults).run(batches: batches, rounds: rounds)
    default:
        fail("usage: CrashWriter crash DIRECTORY FIRST-BATCH full|off | errors DIRECTORY BATCHES ROUNDS")
    }
} catch {
    fail("\(error)")
}
