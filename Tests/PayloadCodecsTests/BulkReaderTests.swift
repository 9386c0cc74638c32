// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import Testing

struct BulkReaderTests {
    private func read(_ format: BulkFormat, _ text: String, table: CSVTable? = nil) -> BulkPiece {
        Array(text.utf8).withUnsafeBytes { BulkReader(format, table: table).read($0) }
    }

    private func csv(_ text: String) throws -> BulkPiece {
        let bytes = Array(text.utf8)
        let header = (bytes.firstIndex(of: 0x0A) ?? bytes.count - 1) + 1
        let table = try bytes.withUnsafeBytes { try CSVTable(header: UnsafeRawBufferPointer(rebasing: $0[..<header])) }
        return bytes.withUnsafeBytes {
            BulkReader(.csv, table: table).read(UnsafeRawBufferPointer(rebasing: $0[header...]))
        }
    }

    // MARK: VictoriaMetrics

    @Test func readsALineOfVictoriaMetrics() {
        let piece = self.read(
            .vmJSONLines,
            #"{"metric":{"__name__":"x","b":"é\n\"\\\/\u4e2d\ud83c\udf0a","a":""},"values":[1,2.5,null,-0.07],"timestamps":[1700000000000,1,-5,1700000300000]}"#
        )
        #expect(piece.errors.isEmpty && piece.samples == 4 && piece.lines == 1 && piece.series.count == 1)
        #expect(piece.series[0].labels == Labels(metric: "x", ["b": "é\n\"\\/中🌊"]))
        #expect(piece.series[0].times.map(\.milliseconds) == [1_700_000_000_000, 1, -5, 1_700_000_300_000])
        #expect(piece.series[0].values.prefix(2) == [1, 2.5])
        #expect(piece.series[0].values[2].isNaN && piece.series[0].values[3] == -0.07)
        #expect(piece.series[0].marks.isEmpty)
    }

    @Test func takesMembersInAnyOrderAndJoinsLinesOfOneMetric() {
        let piece = self.read(
            .vmJSONLines,
            """
            { "timestamps" : [ 1 , 2 ] , "other": [{"a":["]}"]}, null], "values" : [ 1 , "Infinity" ] , "metric" : {"__name__":"x"} }\r

            {"metric":{"__name__":"x"},"values":[3],"timestamps":[3]}
            """
        )
        #expect(piece.errors.isEmpty && piece.lines == 3 && piece.series.count == 1)
        #expect(piece.series[0].values == [1, .infinity, 3] && piece.series[0].line == 1)
    }

    @Test(arguments: [
        ("x", 1, "a line should have the form"),
        (#"{"metric":{"__name__":"x"},"values":[1],"timestamps":[1,2]}"#, 1, "1 values but 2 timestamps"),
        (#"{"metric":{"__name__":"x"},"values":[01],"timestamps":[1]}"#, 38, "a value should be a number or null"),
        (#"{"metric":{"__name__":"x"},"values":[1.],"timestamps":[1]}"#, 38, "a value should be a number or null"),
        (#"{"metric":{"__name__":"x"},"values":[1e999],"timestamps":[1]}"#, 38, "a value should be a number or null"),
        (#"{"metric":{"__name__":"x"},"values":[1,],"timestamps":[1]}"#, 40, "a value should be a number or null"),
        (#"{"metric":{"__name__":"x"},"values":[1],"timestamps":[1.5]}"#, 56, "expected ',' or ']'"),
        (#"{"metric":{"__name__":"x"},"values":[1],"timestamps":[1700000000000000000]}"#, 55, "a timestamp should be"),
        (#"{"metric":{"__name__":"x"},"values":[1],"timestamps":[1700000000000000]}"#, 71, "is no time in Unix"),
        (#"{"metric":{"a":"x"},"values":[1],"timestamps":[1]}"#, 11, "the label __name__ is missing"),
        (#"{"metric":{"__name__":"1x"},"values":[1],"timestamps":[1]}"#, 12, "is no metric name"),
        (#"{"metric":{"__name__":"x","a b":"c"},"values":[1],"timestamps":[1]}"#, 27, "is no label name"),
        (#"{"metric":{"__name__":"x","a":"c","a":"d"},"values":[1],"timestamps":[1]}"#, 35, "is there twice"),
        (#"{"metric":{"__name__":"x","a":1},"values":[1],"timestamps":[1]}"#, 31, "should be a text"),
        (#"{"metric":{"__name__":"x","a":"\ud800"},"values":[1],"timestamps":[1]}"#, 32, "surrogate"),
        (#"{"metric":{"__name__":"x"},"values":[1]"#, 40, "expected ',' or '}'"),
        (#"{"metric":{"__name__":"x"},"values":[1],"timestamps":[1]} x"#, 59, "there follows 'x'"),
        (#"{"values":[1],"timestamps":[1]}"#, 1, "'metric' is missing"),
        (#"{"metric":{"__name__":"x"},"metric":{},"values":[1],"timestamps":[1]}"#, 28, "'metric' is there twice"),
    ])
    func namesWhatIsWrongWithALineAndGoesOn(line: String, column: Int, message: String) throws {
        let good = #"{"metric":{"__name__":"good"},"values":[1],"timestamps":[1]}"#
        let piece = self.read(.vmJSONLines, "\(good)\n\(line)\n\(good)\n")
        let error = try #require(piece.errors.first)
        #expect(piece.refused == 1 && piece.errors.count == 1 && piece.samples == 2)
        #expect(error.line == 2 && error.column == column, "\(error)")
        #expect(error.message.contains(message), "\(error)")
    }

    @Test func countsErrorsBeyondTheLimit() {
        let text = Array(String(repeating: "x\n", count: 1000).utf8)
        let piece = text.withUnsafeBytes { BulkReader(.vmJSONLines, errorLimit: 5).read($0) }
        #expect(piece.errors.count == 5 && piece.refused == 1000)
    }

    @Test func refusesNestingThatWouldExhaustTheStack() {
        let piece = self.read(.vmJSONLines, #"{"a":"# + String(repeating: "[", count: 100_000))
        #expect(piece.refused == 1)
    }

    // MARK: OpenMetrics, Prometheus

    @Test func readsOpenMetrics() {
        let piece = self.read(
            .openMetrics,
            #"""
            # HELP x what it is
            # TYPE x counter
            x_total{a="b",c="q\"\\\n}"} 1.5e3 1395066363.5 # {trace="a"} 1 1395066363.4
            x_total{a="b",c="q\"\\\n}"}  NaN  1395066364
            y -Inf -1.0015
            y{} +7 1e9
            # EOF
            """#
        )
        #expect(piece.errors.isEmpty && piece.samples == 4 && piece.hasEnd && piece.lines == 7)
        #expect(
            piece.series.map(\.labels) == [
                Labels(metric: "x_total", ["a": "b", "c": "q\"\\\n}"]), ["__name__": "y"], ["__name__": "y"],
            ]
        )
        #expect(piece.series[0].times.map(\.milliseconds) == [1_395_066_363_500, 1_395_066_364_000])
        #expect(piece.series[0].values[0] == 1500 && piece.series[0].values[1].isNaN)
        #expect(piece.series[1].times.map(\.milliseconds) == [-1002] && piece.series[1].values == [-.infinity])
        #expect(piece.series[2].times.map(\.milliseconds) == [1_000_000_000_000] && piece.series[2].values == [7])
    }

    @Test func readsMillisecondsInPrometheusText() {
        let piece = self.read(.prometheus, "x 1 1395066363500\n")
        #expect(piece.series.map(\.times) == [[Timestamp(milliseconds: 1_395_066_363_500)]])
    }

    @Test(arguments: [
        ("x 1", 4, "has no timestamp"), ("x 1 # {a=\"b\"} 1", 4, "has no timestamp"), ("x", 2, "expected a blank"),
        ("x{a=\"b\" 1 2", 1, "not closed by '}'"), ("x{a=b} 1 2", 5, "expected a text in quotes"),
        ("x{a=\"b\"}1 2", 9, "expected a blank"), ("x one 2", 3, "should be a number"),
        ("x 1 2 3", 7, "expected the end of the line"), ("x 1 now", 5, "Unix time in seconds"),
        ("x 1 1395066363500", 5, "beyond the year 9999"), ("{a=\"b\"} 1 2", 1, "is no metric name"),
        ("x 0x10 2", 4, "should be a number"), ("x{a=\"b\",a=\"c\"} 1 2", 9, "is there twice"),
    ])
    func namesWhatIsWrongWithASample(line: String, column: Int, message: String) throws {
        let piece = self.read(.openMetrics, "good 1 1\n\(line)\ngood 2 2\n")
        let error = try #require(piece.errors.first)
        #expect(piece.refused == 1 && piece.samples == 2 && error.line == 2)
        #expect(error.column == column && error.message.contains(message), "\(error)")
    }

    // MARK: CSV

    @Test func readsRowsOfCSV() throws {
        let piece = try self.csv(
            "time,metric,value,quality,method,simulated,site,label:method\n"
                + "2022-06-21T16:00:00+08:00,m,19.07,,,,xingzi,\n"
                + "2022-06-21 16:00:01.5, m ,1e2,3,manual,true, xingzi ,\n"
                + "2022-06-21,m,,,,,xingzi,\n"
                + "\"2022-06-21T08:00:00Z\",m,\"7\",,,,\"a \"\"b\"\",\nc\",raw\n"
        )
        #expect(piece.errors.isEmpty && piece.samples == 3 && piece.lines == 5)
        #expect(
            piece.series.map(\.labels) == [
                Labels(metric: "m", ["site": "xingzi"]), Labels(metric: "m", ["site": "a \"b\",\nc", "method": "raw"]),
            ]
        )
        #expect(piece.series[0].times.map(\.milliseconds) == [1_655_798_400_000, 1_655_798_401_500])
        #expect(piece.series[0].values == [19.07, 100])
        let mark = SampleMark(quality: .suspect, method: .manual, simulated: true)
        #expect(piece.series[0].marks == [SampleMark.measured.rawValue, mark.rawValue])
        #expect(piece.series[1].times.map(\.milliseconds) == [1_655_798_400_000])
    }

    @Test func readsUnixTimesAndOtherSeparators() throws {
        let milliseconds = try self.csv("\u{FEFF}time_ms;metric;value\r\n1655798400000;a;1\r\n")
        #expect(milliseconds.series.map(\.times) == [[Timestamp(milliseconds: 1_655_798_400_000)]])
        let seconds = try self.csv("time_s\tmetric\tvalue\n1655798400.25\ta\t1\n")
        #expect(seconds.series.map(\.times) == [[Timestamp(milliseconds: 1_655_798_400_250)]])
    }

    @Test(arguments: [
        ("x,m,1,", 1, "is no RFC 3339 time"), ("2022-06-21,m,x1,", 14, "value 'x1' is no number"),
        ("2022-06-21,,1,", 1, "the metric is blank"), (",m,1,", 1, "the time is blank"),
        ("2022-06-21,m,1,7", 16, "a quality is"), ("2022-06-21,m,1,,x", 17, "more fields"),
        ("2022-06-21,1m,1,", 12, "is no metric name"), ("\"open,m,1,", 1, "never closed"),
        ("2022-02-30,m,1,", 1, "is no RFC 3339 time"),
    ])
    func namesWhatIsWrongWithARow(row: String, column: Int, message: String) throws {
        let piece = try self.csv("time,metric,value,quality\n2022-06-21,m,1,\n\(row)\n2022-06-22,m,1,\n")
        let error = try #require(piece.errors.first)
        #expect(piece.refused == 1 && piece.samples == 2 && error.line == 2 && error.column == column, "\(error)")
        #expect(error.message.contains(message), "\(error)")
    }

    @Test(arguments: [
        ("metric,value", "no column 'time'"), ("time,value", "no column 'metric'"),
        ("time,time_ms,metric,value", "more than one"),
        ("time,metric,value,a,a", "twice"), ("time,metric,value,a b", "is no label name"),
        ("time,metric,\"value", "open quote"),
    ])
    func refusesAHeaderThatLacksAColumn(header: String, message: String) {
        let error = #expect(throws: BulkLineError.self) {
            try Array(header.utf8).withUnsafeBytes { try CSVTable(header: $0) }
        }
        #expect(error?.message.contains(message) ?? false)
    }

    // MARK: Splitting

    @Test func splitsBehindTheLastWholeLine() throws {
        let text = Array("a\nb\nc".utf8)
        #expect(text.withUnsafeBytes { BulkFormat.vmJSONLines.split($0) } == 4)
        #expect(Array("abc".utf8).withUnsafeBytes { BulkFormat.openMetrics.split($0) } == 0)
        let rows = Array("1,\"a\nb\"\n2,\"c\nd".utf8)
        #expect(rows.withUnsafeBytes { BulkFormat.csv.split($0) } == 8)
        let inch = Array("1,2\" pipe\n2,\"c\nd".utf8)
        #expect(inch.withUnsafeBytes { BulkFormat.csv.split($0) } == 10)
    }

    @Test func goesOnBehindAQuoteThatIsNeverClosed() throws {
        var text = "time,metric,value,site\n2022-06-21,m,1,\"open\n"
        let row = "2022-06-21T00:00:00Z,m,1,x\n"
        text += String(repeating: row, count: 2 * BulkFormat.maximumRecord / row.utf8.count)
        let piece = try self.csv(text)
        #expect(piece.refused == 1 && piece.samples == 2 * BulkFormat.maximumRecord / row.utf8.count)
    }
}
