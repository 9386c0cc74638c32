// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import poyang

struct ServerSentEventParserTests {
    private let stream =
        ": hello\r\n\r\nid: 7\nevent: raised\ndata: {\"a\":\ndata: 1}\n\nid:8\ndata:x\n\nevent: none\n\n"

    /// However the bytes are cut into chunks.
    @Test(arguments: 1...9)
    func findsTheSameEvents(chunk: Int) {
        var parser = ServerSentEventParser()
        var events: [ServerSentEvent] = []
        let bytes = Array(self.stream.utf8)
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            events += parser.push(bytes[start..<min(start + chunk, bytes.count)])
        }
        #expect(
            events == [
                ServerSentEvent(id: "7", name: "raised", data: "{\"a\":\n1}"),
                ServerSentEvent(id: "8", name: "message", data: "x"),
            ]
        )
    }
}

struct OutputTests {
    @Test func printsAWarningAsTheDemoPromises() throws {
        let feature = try JSONValue.parse(
            Data(
                """
                {"type":"Feature","properties":{"number":1,"id":"a-1","messageType":"Update","action":"raised",
                "status":"Exercise","hazard":"flood","level":"yellow","previousLevel":"blue","site":"s",
                "eventTime":"2018-08-31T22:50:00Z","sent":"2018-09-01T06:50:01+08:00","value":1.4,"threshold":1.2,
                "headline":"水位 1.40 m","other":true}}
                """
                .utf8
            )
        )
        #expect(
            WarningLine.json(feature)
                == #"{"number":1,"identifier":"a-1","msgType":"Update","action":"raised","status":"Exercise","#
                + #""hazard":"flood","level":"yellow","previous_level":"blue","site":"s","#
                + #""event_time":"2018-09-01T06:50:00+08:00","sent":"2018-09-01T06:50:01+08:00","#
                + #""value":1.4,"threshold":1.2,"headline":"水位 1.40 m"}"#
        )
    }

    @Test func alignsChineseNamesAndLeavesOutEmptyColumns() {
        var table = Table(columns: ["name", "level_m", "note"])
        table.append([.string("星子"), .number(19.07), .null])
        table.append([.string("x"), .integer(7), .null])
        #expect(table.text(empty: "") == "NAME  LEVEL M\n星子    19.07\nx           7")
        #expect(
            table.jsonText
                == "[\n{\"name\":\"星子\",\"level_m\":19.07,\"note\":null},\n{\"name\":\"x\",\"level_m\":7,\"note\":null}\n]"
        )
        #expect(table.csvText == "name,level_m,note\n星子,19.07,\nx,7,")
    }

    @Test func showsAMatrixAsOneRowPerPoint() throws {
        let data = try JSONValue.parse(
            Data(
                #"{"resultType":"matrix","result":[{"metric":{"__name__":"m","site":"s"},"values":[[0,"1"],[60.5,"NaN"]]}]}"#
                    .utf8
            )
        )
        #expect(
            QueryResult.table(of: data).csvText
                == "metric,site,time,value\nm,s,1970-01-01T08:00:00+08:00,1\nm,s,1970-01-01T08:01:00.500+08:00,NaN"
        )
    }
}
