// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// How a process ends that nobody asked.
enum Crash: Sendable, CaseIterable {
    /// SIGKILL: what was written stays, what was not is gone.
    case kill
    /// What was not flushed is gone, too, by the shim `Tests/Faults/powercut.c`.
    case powerCut

    var signal: Int32 {
        switch self {
        case .kill: SIGKILL
        case .powerCut: SIGUSR2
        }
    }
}

/// A shared object of `Tests/Faults` that makes the machine below a program misbehave.
struct Fault {
    private let library: String

    /// Builds `Tests/Faults/NAME.c` in a folder.
    init(_ name: String, in folder: URL) async throws {
        let source = PoyangProcess.project.appendingPathComponent("Tests/Faults/\(name).c").path
        self.library = folder.appendingPathComponent("\(name).so").path
        let compiler = try PoyangProcess(
            program: URL(fileURLWithPath: "/usr/bin/env"),
            ["cc", "-O1", "-shared", "-fPIC", "-o", self.library, source, "-ldl", "-lpthread"]
        )
        try await compiler.waitForExit()
        try #require(compiler.outcome.status == 0, "\(compiler.errors)")
    }

    /// The environment of a program on a disk whose power can be cut by SIGUSR2.
    ///
    /// With `ignoresFlush` the disk lies: nothing counts as flushed.
    func powerCut(data: String, ignoresFlush: Bool = false) -> [String: String] {
        var environment = ["LD_PRELOAD": self.library, "POYANG_FAULT_DIRECTORY": data]
        if ignoresFlush { environment["POYANG_FAULT_IGNORES_FLUSH"] = "1" }
        return environment
    }

    /// The environment of a program on a disk that refuses to be written to while the file `control` exists.
    func disk(data: String, control: String) -> [String: String] {
        ["LD_PRELOAD": self.library, "POYANG_FAULT_DIRECTORY": data, "POYANG_FAULT_DISK": control]
    }

    /// The environment of a program on a machine whose clock is so many seconds ahead, and goes `step` seconds further at
    /// each SIGUSR1.
    func clock(ahead seconds: Int, step: Int = 0) -> [String: String] {
        [
            "LD_PRELOAD": self.library, "POYANG_FAULT_CLOCK_OFFSET": "\(seconds)",
            "POYANG_FAULT_CLOCK_STEP": "\(step)",
        ]
    }
}
