// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import Testing

/// The recorded flash flood of 2018 as messages of the demo gauge: five days around it, a reading each 5 minutes.
struct FlashFlood: Sendable {
    let messages: [(topic: String, payload: [UInt8])]
    /// Where in `messages` the water rises over the lowest level, and where it falls below again.
    let flood: Range<Int>

    init() throws {
        let file = PoyangProcess.project.appendingPathComponent("ops/demo-data/usgs_01581752_event1_20180831.csv")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst()
        var messages: [(topic: String, payload: [UInt8])] = []
        var high: [Int] = []
        for line in lines {
            let cells = line.split(separator: ",", omittingEmptySubsequences: false)
            let time = try #require(Timestamp(rfc3339: String(cells[0])))
            guard let feet = Double(cells[3]) else { continue }
            if feet * 0.3048 >= 0.9 { high.append(messages.count) }
            let json = #"{"ts":\#(time.milliseconds),"values":{"gage_height_ft":\#(cells[3])},"simulated":true}"#
            messages.append(("poyang/v1/devices/usgs-01581752-1/telemetry", Array(json.utf8)))
        }
        self.messages = messages
        self.flood = try #require(high.first)..<(try #require(high.last) + 1)
    }

    /// How many messages there are until that part of the flood is over.
    func rows(through part: Double) -> Int {
        self.flood.lowerBound + Int(Double(self.flood.count) * part)
    }
}
