// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// The flags of a whole series at once, for reports and history.
package enum QualityFlags {
    /// What is tested: values that a person read and those of work on the device are what they are.
    static func isTested(_ mark: SampleMark) -> Bool {
        mark.method != .manual && mark.quality != .missing && !Self.isFailedBySender(mark)
    }

    /// Whether nothing is asked of a value but that it is possible: what a person read is not doubted, but nobody reads a level
    /// of 99,999 m either.
    static func isReadByHand(_ mark: SampleMark) -> Bool {
        mark.method == .manual && mark.quality != .missing && !Self.isFailedBySender(mark)
    }

    private static func isFailedBySender(_ mark: SampleMark) -> Bool { mark.quality == .fail }

    /// The mark of a tested sample once the tests have spoken: a doubt that was there before them (`isDoubted`) stays, the
    /// verdict of an earlier test does not.
    private static func combined(_ mark: SampleMark, isDoubted: Bool, with verdict: SampleMark) -> SampleMark {
        verdict.quality != .fail && isDoubted ? mark : mark.withQuality(of: verdict)
    }

    /// The marks of a series' samples as its tests see them; times strictly rising, all arrays of one length.
    ///
    /// Tests across series are not among them (``NeighbourTest``, ``IdenticalTest``). `doubt` knows which stored doubts stay;
    /// without it that is told from the plan alone.
    ///
    /// - Returns: One mark for each sample; those that are not tested keep theirs.
    package static func marks(
        times: [Timestamp],
        values: [Double],
        marks: [SampleMark],
        plan: QualityPlan,
        doubt: StandingDoubt? = nil
    ) -> [SampleMark] {
        let doubt = doubt ?? StandingDoubt(plan)
        var result = marks
        var state = QualityState()
        for index in times.indices where values[index].isFinite {
            guard self.isTested(marks[index]) || self.isReadByHand(marks[index]) && plan.isImpossible(values[index])
            else { continue }
            let isDoubted = doubt.holds(marks[index], at: times[index])
            let verdict = state.take(values[index], at: times[index], isDoubted: isDoubted, plan)
            result[index] = self.combined(marks[index], isDoubted: isDoubted, with: verdict.mark)
            guard let spike = verdict.spike, let place = times[..<index].lastIndex(of: spike.time) else { continue }
            result[place] = marks[place].withQuality(of: SampleMark(failed: .spike))
        }
        return result
    }
}
