// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import Testing

@testable import EarlyWarning

struct SeriesNotationTests {
    @Test(
        arguments: [
            ("1 2 3", [1, 2, 3]), ("1+2x3", [1, 3, 5, 7]), ("-2-1.5x2", [-2, -3.5, -5]), ("4x2", [4, 4, 4]),
            ("1e3 1e-1+1e-1x1", [1000, 0.1, 0.2]), ("0x2 1", [0, 0, 0, 1]), ("Inf -Inf", [.infinity, -.infinity]),
        ] as [(String, [Double])]
    )
    func reads(text: String, expected: [Double]) throws {
        #expect(try SeriesNotation.values(text) == expected.map { .number($0) })
    }

    @Test func readsGapsAndEnds() throws {
        #expect(try SeriesNotation.values("1 _ _x2 stale") == [.number(1), .missing, .missing, .missing, .stale])
    }

    @Test(arguments: ["a", "1+x3", "1+2x", "x5", "1,2", "1+2x-3", "1+-1x3", "1-+1x3", "1--1x3", "0x10x2"])
    func refuses(text: String) {
        #expect(throws: SeriesNotation.Failure.self) { try SeriesNotation.values(text) }
    }

    @Test func readsSeries() throws {
        #expect(try SeriesNotation.labels("up{job=\"x\", a=\"b\"}") == ["__name__": "up", "job": "x", "a": "b"])
        #expect(try SeriesNotation.labels("up{}") == ["__name__": "up"])
        #expect(try SeriesNotation.labels("{a=\"b\"}") == ["a": "b"])
        #expect(try SeriesNotation.labels("{}") == .empty)
        for text in ["up{", "up[5m]", "up{a=~\"b\"}", "up + up", "up offset 5m", "up @ 5", "up{a=\"b\", a=\"c\"}"] {
            #expect(throws: SeriesNotation.Failure.self) { try SeriesNotation.labels(text) }
        }
    }
}
