// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import StrictYAML
import Telemetry
import TestSupport
import Testing

@testable import poyang

struct RecordedFileTests {
    private let level = """
        time: { column: time, zone: UTC }
        columns:
          level: { device: d, key: k }
        """

    private func rows(_ csv: String, map: String) throws -> (rows: [RecordedRow], notes: [String]) {
        try inTemporaryFolder { folder in
            let recorded = try RecordedFile(
                try file("x.csv", in: folder, csv),
                map: try RecordingMap(yaml: map, file: "x.map.yaml")
            )
            var rows: [RecordedRow] = []
            while let row = try recorded.next() { rows.append(row) }
            return (rows, recorded.notes.map { $0.replacing(folder.path + "/", with: "") })
        }
    }

    @Test func takesABlankAsMissingAndNeverAsZero() throws {
        let csv =
            "time,level\n2020-01-01T00:00:00Z,1.5\n2020-01-01T01:00:00Z,\n2020-01-01T02:00:00Z,  \n2020-01-01T03:00:00Z,0\n"
        let read = try self.rows(csv, map: self.level)
        #expect(read.rows.map { $0.values.map(\.value) } == [[1.5], [0]])
        #expect(read.notes.isEmpty)
    }

    @Test func leavesOutWhatIsNoNumberAndSaysWhere() throws {
        let csv =
            "time,level\n2020-01-01T00:00:00Z,Ice\nyesterday,2\n2020-01-01T01:00:00Z,nan\n2020-01-01T02:00:00Z,3\n"
        let read = try self.rows(csv, map: self.level)
        #expect(read.rows.map { $0.values.map(\.value) } == [[3]])
        #expect(
            read.notes == [
                "x.csv:2: level 'Ice' is no number; left out",
                "x.csv:3: 'yesterday' is no RFC 3339 time; give the form with 'format:' in the map; left out",
                "x.csv:4: level 'nan' is no number; left out",
            ]
        )
    }

    @Test func sortsAFileThatIsNotInTheOrderOfTimeAndSaysSo() throws {
        let csv = "time,level\n2020-01-02T00:00:00Z,2\n2020-01-01T00:00:00Z,1\n2020-01-03T00:00:00Z,3\n"
        let read = try self.rows(csv, map: self.level)
        #expect(read.rows.map { $0.values[0].value } == [1, 2, 3])
        #expect(read.notes == ["x.csv: the rows are not in the order of time; sorted"])
    }

    @Test func keepsOnlyTheRowsThatTheMapAsksFor() throws {
        let csv = """
            station,time,level
            星子,2022-06-20,1
            湖口,2022-06-21,2
            星子,2022-06-21,3
            星子,2022-06-22T23:59,4
            星子,2022-06-23,5
            """
        let map = """
            time: { column: time, zone: "+08:00" }
            where: { station: 星子 }
            from: 2022-06-21
            to: 2022-06-22
            columns:
              level: { device: d, key: k }
            """
        let read = try self.rows(csv, map: map)
        #expect(read.rows.map { $0.values[0].value } == [3, 4])
        #expect(read.rows.first?.time == Timestamp(rfc3339: "2022-06-21T00:00:00+08:00"))
    }

    @Test func readsTheMethodFromAColumn() throws {
        let csv =
            "time,level,how\n2020-01-01T00:00:00Z,1,\n2020-01-01T01:00:00Z,2,manual\n2020-01-01T02:00:00Z,3,guessed\n"
        let map = """
            time: { column: time }
            columns:
              level: { device: d, key: k, method: { column: how } }
            """
        let read = try self.rows(csv, map: map)
        #expect(read.rows.map { $0.values[0].method } == [.measured, .manual])
        #expect(read.notes == ["x.csv:4: 'guessed' is no method; left out"])
    }

    @Test func refusesAMapWithEverythingThatIsWrongAtItsPlace() throws {
        let map = """
            time: { column: time, zone: Mars/Olympus, fromat: x }
            columns:
              level: { device: d }
            interpolate: { every: 7h }
            """
        do {
            _ = try RecordingMap(yaml: map, file: "m.yaml")
            Issue.record("a wrong map was taken")
        } catch let list as ProblemList {
            #expect(
                list.problems.map(\.description) == [
                    "m.yaml:1:29: 'Mars/Olympus' is no time zone; write UTC, an IANA name (America/Chicago) or an offset (+08:00)",
                    "m.yaml:1:43: unknown key 'fromat'; did you mean 'format'?",
                    "m.yaml:3:10: 'key' is missing",
                    "m.yaml:4:23: '7h' does not divide a day; write 1d, 6h, 1h, 15m …",
                ]
            )
        }
    }

    @Test func namesTheColumnsThereAreWhenOneIsMissing() throws {
        let failure = CommandFailure("x.csv:1: no column 'level', which the map names; there are: time, stage")
        #expect(throws: failure) {
            do {
                _ = try self.rows("time,stage\n2020-01-01T00:00:00Z,1\n", map: self.level)
            } catch let error as CommandFailure {
                let name = error.message.split(separator: "/").last ?? ""
                throw CommandFailure(String(name))
            }
        }
    }

    @Test func readsQuotedFieldsAcrossLines() throws {
        try inTemporaryFolder { folder in
            let path = try file("q.csv", in: folder, "\u{FEFF}a,b\r\n\"x,\"\"y\"\"\nz\",2\r\n\r\n3\r\n")
            let reader = try CSVReader(path)
            #expect(reader.header == ["a", "b"])
            let first = try #require(try reader.next())
            #expect(first.fields == ["x,\"y\"\nz", "2"])
            #expect(first.line == 2)
            let second = try #require(try reader.next())
            #expect(second.fields == ["3", ""])
            #expect(second.line == 5)
            #expect(try reader.next() == nil)
        }
    }
}
