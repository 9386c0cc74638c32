// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport
import Testing

@testable import PromQL

/// A share of the series, chosen by the hash of their labels as Prometheus chooses it.
struct LimitRatioTests {
    /// From the test vectors of xxHash's implementations.
    @Test(
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
            ("Call me Ishmael. Some years ago--never mind how long precisely-", 0x02A2_E854_70D6_FD96),
        ] as [(String, UInt64)]
    )
    func theHashIsXXH64(text: String, hash: UInt64) {
        #expect(XXH64.hash(Array(text.utf8)) == hash)
    }

    private func sites(_ query: String) throws -> String {
        var reader = MemorySeriesReader()
        let start = Timestamp(milliseconds: 0)
        for site in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            reader.append(Labels(metric: "x", ["site": site]), at: start, 1)
        }
        let result = try Evaluator(reader: reader).instant(Query(parsing: query), at: start)
        guard case .vector(let found) = result.value else { return "" }
        return found.map { $0.labels["site"] }.sorted().joined()
    }

    /// The hashes of x{site="a"} and so on lie at 0.159, 0.099, 0.951, 0.090, 0.764, 0.023, 0.219 and 0.394.
    @Test(arguments: [
        ("limit_ratio(0.1, x)", "bdf"), ("limit_ratio(-0.9, x)", "acegh"), ("limit_ratio by (site) (0.3, x)", "abdfg"),
        ("limit_ratio(1.5, x)", "abcdefgh"), ("limit_ratio(-7, x)", "abcdefgh"), ("limit_ratio(0, x)", ""),
        ("limit_ratio(-0.05, x) or limit_ratio(0.025, x)", "cf"), ("limit_ratio(-0.049051, x)", "c"),
        // Without the name where that is to go.
        ("limit_ratio(0.5, x * 1)", "adg"),
    ])
    func choosesTheSeriesThatPrometheusChooses(query: String, sites: String) throws {
        #expect(try self.sites(query) == sites)
    }

    @Test func aRatioThatIsNoNumberIsAnError() throws {
        #expect(throws: PromQLError.self) { try self.sites("limit_ratio(NaN, x)") }
    }

    @Test func longTextsHaveTheirLengthInThreeBytes() {
        let labels: Labels = ["__name__": "x", "a": String(repeating: "b", count: 300)]
        #expect(labels.placeAmongHashes == Double(0x3B3F_784B_6C6C_695A as UInt64) / 0x1p64)
    }
}
