// poyang
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import poyang

struct TableTests {
    private let table = Table(
        columns: ["device", "name", "state", "maintenance_until", "duplicates"],
        objects: [
            .object(["device": .string("a"), "name": .string(""), "state": .string("waiting")]),
            .object(["device": .string("hill-1"), "name": .string(""), "state": .string("silent")]),
        ]
    )

    @Test func columnsThatNoRowFillsAreNotShownToPeople() {
        #expect(self.table.text(empty: "none") == "DEVICE  STATE\na       waiting\nhill-1  silent")
        var one = self.table
        one.append([.string("b"), .string("溪"), .string("silent"), .null, .number(3)])
        #expect(one.text(empty: "none").hasPrefix("DEVICE  NAME  STATE    DUPLICATES\n"))
    }

    @Test func programsHaveAllColumns() {
        #expect(self.table.jsonText.contains(#"{"device":"a","name":"","state":"waiting","maintenance_until":null,"#))
        #expect(self.table.csvText.hasPrefix("device,name,state,maintenance_until,duplicates\na,,waiting,,"))
    }
}
