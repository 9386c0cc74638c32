// poyang
// SPDX-License-Identifier: Apache-2.0

// Runs PromQL test scripts; ops/conformance builds and calls it.

import Foundation
import TestSupport

let files = CommandLine.arguments.dropFirst()
guard !files.isEmpty else {
    FileHandle.standardError.write(Data("usage: ops/conformance FILE...\n".utf8))
    exit(64)
}

var isAllRight = true
for file in files {
    let text: String
    do {
        text = try String(contentsOf: URL(fileURLWithPath: file), encoding: .utf8)
    } catch {
        print("\(file): cannot be read: \(error.localizedDescription)")
        isAllRight = false
        continue
    }
    let report = ConformanceReport(of: text)
    print("\(file): \(report.summary)")
    for line in report.details { print("  \(line)") }
    if report.hasFailures { isAllRight = false }
}
exit(isAllRight ? 0 : 1)
