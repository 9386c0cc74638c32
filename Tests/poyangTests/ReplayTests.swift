// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry
import TestSupport
import Testing

@testable import poyang

struct ReplayTests {
    private func order(_ files: [(device: String, hours: [Int])], merged: Bool) throws -> [String] {
        try inTemporaryFolder { folder in
            let recorded = try files.map { entry in
                let rows = entry.hours.map { "2020-01-01T0\($0):00:00Z,\($0)" }.joined(separator: "\n")
                let map = try RecordingMap(
                    yaml: "time: { column: t }\ncolumns:\n  v: { device: \(entry.device), key: k }\n",
                    file: "m"
                )
                return try RecordedFile(try file(entry.device, in: folder, "t,v\n\(rows)\n"), map: map)
            }
            var order = try ReplayOrder(recorded, merged: merged)
            var seen: [String] = []
            while let message = try order.next() { seen.append("\(message.device)\(Int(message.values[0].value))") }
            return seen
        }
    }

    @Test func mergesFilesInEventTime() throws {
        #expect(
            try self.order([("a", [1, 3, 5]), ("b", [2, 3, 9])], merged: true) == ["a1", "b2", "a3", "b3", "a5", "b9"]
        )
    }

    @Test func replaysOneFileAfterTheOtherWhenAsked() throws {
        #expect(try self.order([("a", [1, 5]), ("b", [2])], merged: false) == ["a1", "a5", "b2"])
    }

    @Test func makesOneMessagePerDeviceOfARow() throws {
        let map = try RecordingMap(
            yaml: """
                time: { column: t }
                columns:
                  a: { device: one, key: x }
                  b: { device: two, key: y }
                  c: { device: one, key: z }
                """,
            file: "m"
        )
        let values = [1.0, 2, 3.5].enumerated()
            .map {
                RecordedRow.Value(column: $0.offset, value: $0.element, method: $0.offset == 2 ? .gapTotal : .measured)
            }
        let messages = ReplayMessage.messages(
            of: RecordedRow(time: Timestamp(milliseconds: 7), line: 2, values: values),
            map: map
        )
        #expect(
            messages.map(\.payload) == [
                #"{"ts":7,"values":{"x":1.0,"z":3.5},"method":{"z":"gap_total"},"simulated":true}"#,
                #"{"ts":7,"values":{"y":2.0},"simulated":true}"#,
            ]
        )
    }

    @Test func keepsThePaceAndCutsLongPauses() {
        var pace = ReplayPace(speed: 60, longestPause: 2 * .second)
        func due(_ minutes: Int64) -> Duration { pace.due(at: Timestamp(milliseconds: minutes * .minute)) }
        #expect(due(0) == .zero)
        #expect(due(1) == .seconds(1))
        #expect(due(1) == .seconds(1))
        #expect(due(100) == .seconds(3))
        #expect(due(50) == .seconds(3))
        var free = ReplayPace(speed: 0, longestPause: .second)
        _ = free.due(at: Timestamp(milliseconds: 0))
        #expect(free.due(at: Timestamp(milliseconds: .day)) == .zero)
    }
}
