// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

struct DecimalTests {
    private let now = Timestamp(milliseconds: 100 * .minute)

    private func vector(
        _ text: String,
        _ values: [Double],
        marks: [SampleMark] = [],
        rounds: Bool = true
    ) throws -> [Double] {
        var reader = MemorySeriesReader()
        for (index, value) in values.enumerated() {
            let time = self.now - Int64(values.count - 1 - index) * .second
            reader.append(Labels(metric: "x"), at: time, value, mark: index < marks.count ? marks[index] : .measured)
        }
        let evaluator = Evaluator(reader: reader, options: EvaluationOptions(roundsComparisons: rounds))
        guard case .vector(let vector) = try evaluator.instant(Query(parsing: text), at: self.now).value else {
            return []
        }
        return vector.map(\.value)
    }

    @Test func sumsOfTenthsDoNotDrift() throws {
        #expect(try self.vector("sum_over_time(x[1h])", Array(repeating: 0.1, count: 1000)) == [100])
        #expect(try self.vector("avg_over_time(x[1h])", Array(repeating: 19.07, count: 1000)) == [19.07])
        #expect(try self.vector("sum_over_time(x[1h])", [49.9, 0.1]) == [50])
        #expect(try self.vector("sum_over_time(x[1h])", [1e16, 1, -1e16]) == [1])
    }

    @Test func comparisonsRoundOnlyWhereAsked() throws {
        #expect(try self.vector("x < 1.2 - 0.1", [1.1]) == [])
        #expect(try self.vector("x < 1.2 - 0.1", [1.1], rounds: false) == [])
        #expect(try self.vector("x >= 1.2 - 0.1", [1.1]) == [1.1])
        #expect(try self.vector("x == 0.1 + 0.2", [0.3]) == [0.3])
        #expect(try self.vector("x == 0.1 + 0.2", [0.3], rounds: false) == [])
        #expect(try self.vector("x > 1e300", [1e301]) == [1e301])
    }

    /// The first total of the window began before it.
    @Test func rainSumsKnowWhatBeganBeforeTheWindow() throws {
        let gap = SampleMark(quality: .pass, method: .gapTotal)
        #expect(try self.vector("covered_sum_over_time(x[1h])", [5, 1, 2], marks: [gap]) == [3])
        #expect(try self.vector("possible_sum_over_time(x[1h])", [5, 1, 2], marks: [gap]) == [8])
        #expect(try self.vector("covered_sum_over_time(x[1h])", [5, 1, 2], marks: [.measured, gap]) == [8])
        #expect(try self.vector("covered_sum_over_time(x[2s])", [5, 1, 2], marks: [.measured, gap]) == [3])
        #expect(try self.vector("covered_sum_over_time(x[1999ms])", [5, 1, 2], marks: [.measured, gap]) == [2])
    }
}
