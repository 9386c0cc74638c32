// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

struct QueryAnalysisTests {
    @Test(arguments: [
        (#"water_level_meters{sensor=""} >= on(site) group_left() site_threshold_meters{hazard="flood"}"#, true),
        ("water_level_meters", true), ("sum by (site) (rainfall_millimeters)", true),
        ("sum(water_level_meters)", false),
        ("sum by (basin) (a)", false), ("sum without (depth) (a)", true), ("sum without (site) (a)", false),
        (#"sum(a{site="x"})"#, true), (#"sum(a{site="x"}) > sum(b{site="y"})"#, false),
        (#"sum(a{site="x"}) > sum(b{site="x"})"#, true),
        ("a > on(basin) b", false), ("a > ignoring(site) b", false), ("a > ignoring(depth) b", true), ("a > b", true),
        ("absent(a)", false), (#"absent(a{site="x"})"#, true), ("scalar(a)", false), ("a > scalar(b)", false),
        ("deriv(a[1h]) > 0.1", true), ("topk(3, a)", false), ("topk by (site) (1, a)", true),
        (#"label_replace(a, "site", "x", "", "")"#, false), (#"label_replace(a, "depth", "x", "", "")"#, true),
        (#"histogram_quantiles(a, "q", 0.5)"#, true), (#"histogram_quantiles(a, "site", 0.5)"#, false),
        ("a or on() vector(0)", false), ("vector(1)", true), ("a and on() vector(1)", true),
        ("vector(1) and on() a", false),
        ("max_over_time((a - b)[1h:5m])", true), ("max_over_time(sum(a)[1h:5m])", false),
        (#"a{site="x"} >= on(site) group_left() b"#, true), (#"a{site="x"} + on(site) b{site="y"}"#, true),
        ("a * ignoring(depth) group_left(site) b", false), ("a + fill(0) b", true), ("a + on(depth) fill(0) b", false),
        ("a + on(site) group_left() fill_left(0) b", true), ("a + on() fill_right(0) vector(1)", false), ("-a", true),
        ("a + 1 > 2 * 3", true),
    ])
    func knowsWhatASiteDecidesAlone(text: String, expected: Bool) throws {
        #expect(try Query(parsing: text).isConfinedToSite == expected)
    }

    @Test(arguments: [
        ("time()", true), ("hour()", true), ("hour(a)", false), ("a > time()", true), ("timestamp(a)", false),
        ("timestamp(a + 1)", true), ("rate(a[5m])", true), ("delta(a[5m])", true), ("deriv(a[5m])", false),
        ("predict_linear(a[1h], 3600)", true), ("sum_over_time(a[5m])", false), ("hour() > bool 5", true),
        ("changes(a[5m] anchored)", false), ("a anchored", false), ("a smoothed", true),
    ])
    func knowsWhatTimeAloneChanges(text: String, expected: Bool) throws {
        #expect(try Query(parsing: text).dependsOnTime == expected)
    }

    @Test(
        arguments: [
            ("a", 0), ("a offset 5m", 5), ("sum_over_time(a[10m])", 10), ("sum_over_time(a[10m] offset 5m)", 15),
            ("max_over_time(deriv(a[10m])[1h:5m])", 70), ("a @ 0", 0), ("a + sum_over_time(b[1h])", 60),
            ("a offset -5m", 0),
        ] as [(String, Int64)]
    )
    func knowsHowFarItReachesBack(text: String, minutes: Int64) throws {
        #expect(try Query(parsing: text).reach == minutes * .minute)
    }

    @Test func namesItsSelectors() throws {
        let query = try Query(parsing: #"sum_over_time(a{b="c"}[5m] offset 1h) > {__name__=~"x|y"} @ 3"#)
        #expect(query.selectors.map(\.metric) == ["a", nil])
        #expect(query.selectors[0].window == 5 * .minute)
        #expect(query.selectors[0].offset == .hour)
        #expect(query.selectors[1].at == .time(Timestamp(milliseconds: 3000)))
    }
}
