// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Prints one JSON object on a line of its own.
func report(_ name: String, _ seconds: Double, _ numbers: [String: Double]) throws {
    var object: [String: Any] = ["name": name, "seconds": (seconds * 1e6).rounded() / 1e6]
    for (key, value) in numbers { object[key] = value < 100 ? (value * 1000).rounded() / 1000 : value.rounded() }
    let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
    FileHandle.standardOutput.write(data + Data("\n".utf8))
}

func timed<Result>(_ body: () throws -> Result) rethrows -> (Result, Double) {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try body()
    return (result, (clock.now - start) / .seconds(1))
}

/// Processor time of the whole process, which other processes on the machine disturb less than the clock.
func processorSeconds() -> Double {
    Double(clock()) / Double(CLOCKS_PER_SEC)
}

/// Bytes of this process in memory, and the most there ever were.
func residentBytes() throws -> (now: Double, most: Double) {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    func value(_ name: String) -> Double {
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        return (line?.split(separator: " ", omittingEmptySubsequences: true).dropFirst().first).flatMap { Double($0) }
            ?? 0
    }
    return (value("VmRSS:") * 1024, value("VmHWM:") * 1024)
}
