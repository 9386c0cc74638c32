// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

/// Windows of whole days that end with the day of +08:00, not with the moment.
struct CalendarWindowTests {
    /// 2026-09-01 00:00 +08:00.
    static let midnight = CivilTime(year: 2026, month: 9, day: 1).timestamp(offsetMinutes: 480)

    /// One millimetre at each full hour from 00:00 on the first on, for four days.
    static let rain = SeriesColumns(
        labels: ["__name__": "rain", "site": "a"],
        times: (0...96).map { midnight + Milliseconds($0) * .hour },
        values: Array(repeating: 1, count: 97),
        marks: Array(repeating: .measured, count: 97)
    )

    func value(_ text: String, hour: Double, boundary: Int? = 8 * 60) throws -> (Double?, Timestamp) {
        let query = try Query(parsing: text, days: boundary.map(CalendarDays.init(boundary:)))
        let evaluator = Evaluator(reader: MemorySeriesReader([Self.rain]))
        let result = try evaluator.instant(query, at: Self.midnight + Milliseconds(hour * 3_600_000))
        guard case .vector(let samples) = result.value else { return (nil, result.nextChange) }
        return (samples.first?.value, result.nextChange)
    }

    @Test(arguments: [
        // The reading of 08:00 is the last of the day that ends then.
        ("sum_over_time(rain[1d])", 32.0, 24.0), ("sum_over_time(rain[1d])", 33, 1), ("sum_over_time(rain[1d])", 40, 8),
        ("sum_over_time(rain[24h])", 40, 8), ("sum_over_time(rain[2d])", 40, 32), ("sum_over_time(rain[6h])", 40, 6),
        // Yesterday as a whole, and the three full days before now.
        ("sum_over_time(rain[1d] offset 1d)", 56, 24), ("count_over_time(sum_over_time(rain[1d])[2d:1d])", 60, 2),
        ("min_over_time(sum_over_time(rain[1d])[2d:1d])", 60, 24),
        ("min_over_time(sum_over_time(rain[1d])[2d:1d])", 80, 24),
        // Finer steps see the present day alone.
        ("count_over_time(rain[1d:1h])", 40, 8),
    ])
    func daysEndAtTheirBoundary(text: String, hour: Double, expected: Double) throws {
        #expect(try self.value(text, hour: hour).0 == expected)
    }

    @Test func withoutABoundaryADayIsTwentyFourHours() throws {
        #expect(try self.value("sum_over_time(rain[1d])", hour: 40, boundary: nil).0 == 24)
    }

    @Test func theNextDayIsWhenTheResultChanges() throws {
        let turn = Self.midnight + 56 * Milliseconds.hour
        #expect(try self.value("sum_over_time(rain[1d])", hour: 40).1 == turn + 1)
        #expect(try self.value("sum_over_time(rain[1d])", hour: 56).1 == turn + 1)
        #expect(try self.value("max_over_time(sum_over_time(rain[1d])[2d:1d])", hour: 40).1 == turn)
    }

    @Test func aDayBeginsAfterMidnightToo() throws {
        #expect(try self.value("sum_over_time(rain[1d])", hour: 25, boundary: 0).0 == 1)
        #expect(try self.value("sum_over_time(rain[1d])", hour: 24, boundary: 0).0 == 24)
        #expect(try self.value("sum_over_time(rain[1d])", hour: 45, boundary: 20 * 60).0 == 1)
    }
}
