// poyang
// SPDX-License-Identifier: Apache-2.0

// The victim of the crash tests: commits, applies and seals what `CrashScript` says until it is killed.
//
//     CrashWriter DIRECTORY FIRST-BATCH full|off
//
// Writes `committed N` to standard output after each commit that returned.

import CrashScript
import Foundation
import SeriesStorage
import Telemetry

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(1)
}

let arguments = CommandLine.arguments
guard arguments.count == 4, let first = Int(arguments[2]) else {
    fail("usage: CrashWriter DIRECTORY FIRST-BATCH full|off")
}

do {
    let script = CrashScript()
    let position = try PositionFile(directory: arguments[1])
    let store = try SeriesStore(
        path: arguments[1] + "/samples.db",
        processed: position.read(),
        synchronous: arguments[3] == "off" ? .off : .full,
        limits: CrashScript.limits
    )
    for entry in try store.entries(after: store.appliedPosition, limit: .max) {
        try position.write(try store.apply(entry).batch.position)
    }
    // Applies and seals beside the commits, as the platform's processor does.
    let queue = DispatchQueue(label: "processor")
    var batch = first
    while true {
        try store.commit(script.batch(batch)) { entry in
            let number = batch
            queue.async {
                do {
                    try position.write(try store.apply(entry).batch.position)
                    if number % 7 == 0 { try store.seal(through: position.read(), force: number % 21 == 0) }
                } catch {
                    fail("\(error)")
                }
            }
        }
        FileHandle.standardOutput.write(Data("committed \(batch)\n".utf8))
        batch += 1
    }
} catch {
    fail("\(error)")
}
