// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import Testing

/// Recorded flash floods as messages of the demo gauge: five days around each, a reading each 5 minutes.
struct FlashFlood: Sendable {
    /// The flood of 2018.
    static let newest = "usgs_01581752_event1_20180831.csv"
    /// All three, the oldest first.
    static let all = ["usgs_01581752_event3_20160225.csv", "usgs_01581752_event2_20170818.csv", newest]

    let messages: [(topic: String, payload: [UInt8])]
    /// The readings themselves, in metres.
    let levels: [(time: Timestamp, meters: Double)]
    /// Unix seconds of the first and the last reading of each recording.
    let spans: [ClosedRange<Int>]
    /// Where in `messages` the water stands over the lowest level.
    private let high: [Int]

    init(_ recordings: [String] = [newest]) throws {
        var messages: [(topic: String, payload: [UInt8])] = []
        var levels: [(time: Timestamp, meters: Double)] = []
        var spans: [ClosedRange<Int>] = []
        for recording in recordings {
            let first = levels.count
            let file = Self.file(recording)
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst() {
                let cells = line.split(separator: ",", omittingEmptySubsequences: false)
                let time = try #require(Timestamp(rfc3339: String(cells[0])))
                guard let feet = Double(cells[3]) else { continue }
                levels.append((time, feet * 0.3048))
                let json = #"{"ts":\#(time.milliseconds),"values":{"gage_height_ft":\#(cells[3])},"simulated":true}"#
                messages.append(("poyang/v1/devices/usgs-01581752-1/telemetry", Array(json.utf8)))
            }
            let times = levels[first...].map { Int($0.time.milliseconds / 1000) }
            spans.append(try #require(times.first)...(try #require(times.last)))
        }
        self.messages = messages
        self.levels = levels
        self.spans = spans
        self.high = levels.indices.filter { levels[$0].meters >= 0.9 }
        try #require(!self.high.isEmpty)
    }

    static func file(_ recording: String) -> URL {
        PoyangProcess.project.appendingPathComponent("ops/demo-data").appendingPathComponent(recording)
    }

    /// How many messages there are until that part of the floods is over.
    func rows(through part: Double) -> Int {
        self.high[min(Int(Double(self.high.count) * part), self.high.count - 1)] + (part < 1 ? 0 : 1)
    }
}
