// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Our tests of quality beside PyPI's `ioos_qc`, on the same series of others; `ops/test` installs it.
struct QualityComparisonTests {
    private static let environment = ProcessInfo.processInfo.environment

    @Test(
        .enabled(if: environment["POYANG_QC_VENV"] != nil, "ioos_qc is missing; ops/test installs it"),
        .timeLimit(.minutes(5))
    )
    func everyDifferenceFromIOOSIsExplainedAndWrittenDown() async throws {
        let project = PoyangProcess.project
        let run = try PoyangProcess(
            program: project.appending(path: "ops/qc-compare"),
            [],
            environment: ["POYANG_PROGRAM": try PoyangProcess.executable().path]
        )
        try await run.waitForExit(within: .seconds(240))
        #expect(run.outcome.status == 0, "\(run.output) \(run.errors)")
        let page = try String(
            contentsOf: project.appending(path: "Sources/Platform/Platform.docc/QualityComparison.md"),
            encoding: .utf8
        )
        let lines = run.output.split(separator: "\n")
        #expect(lines.count > 15)
        for line in lines { #expect(page.contains(line), "not in QualityComparison.md: \(line)") }
    }
}
