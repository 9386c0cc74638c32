// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// A subquery over a series that grows, carried on from one evaluation to the next.
///
/// What the inner expression said at a step stands, so that only the steps since the evaluation before are worked out;
/// all of them again when a sample has come that lies before one of them.
struct RunningSubquery: Sendable {
    /// What the inner expression said at the steps at which it said something.
    private var results: [Sample] = []
    /// How many of them have been let go of at the beginning.
    private var base = 0
    private var window: RunningWindow
    private var inner: SeriesFormula.State
    /// The newest step that was worked out, and how many samples the series had ever had until then.
    private var known: (through: Timestamp, samples: Int)?

    init(_ function: Function, inner: SeriesFormula.State) {
        self.window = RunningWindow(function)
        self.inner = inner
    }

    /// The function of the subquery's window at a time.
    ///
    /// - Parameters:
    ///   - step: What to evaluate; the same each time.
    ///   - run: The samples, as for ``SeriesFormula/value(of:at:_:roundsComparisons:)``.
    ///   - time: Of the evaluation.
    ///   - rounds: See ``EvaluationOptions/roundsComparisons``.
    ///   - nextChange: Brought forward to the time at which a step comes or goes.
    /// - Returns: Nil where the steps yield nothing.
    /// - Throws: ``PromQLError``, as the evaluator would.
    mutating func value(
        of step: SeriesFormula.SubqueryStep,
        over run: SampleRun,
        at time: Timestamp,
        rounds: Bool,
        nextChange: inout Timestamp
    ) throws -> Double? {
        let after = time - step.length
        guard let first = StepGrid.multiple(of: step.step, from: 0, after: after),
            let next = StepGrid.multiple(of: step.step, from: 0, after: time)
        else { return nil }
        nextChange = min(nextChange, next)
        guard first <= time else { return nil }
        nextChange = min(nextChange, first + step.length)
        try self.workOut(from: first, through: next - step.step, step, run, rounds)
        let base = self.base
        let (start, value) = try self.results.withUnsafeBufferPointer { results -> (Int, RunningWindow.Value?) in
            let run = SampleRun(results, lookback: 0, base: base)
            let start = self.window.first(of: run, after: after)
            guard start < run.count else { return (start, nil) }
            let window = SampleWindow(run: run, first: start, end: run.count, after: after, through: time)
            return (start, try self.window.value(of: window, parameters: step.parameters, at: time))
        }
        if start >= 32, 2 * start >= self.results.count { self.letGo(start) }
        return value?.value
    }

    private mutating func letGo(_ count: Int) {
        self.results.removeFirst(count)
        self.base += count
    }

    private mutating func workOut(
        from first: Timestamp,
        through last: Timestamp,
        _ step: SeriesFormula.SubqueryStep,
        _ run: SampleRun,
        _ rounds: Bool
    ) throws {
        func samples(through time: Timestamp) -> Int {
            run.base + run.count(through: time, near: run.count)
        }
        var moment = first
        if let known, known.through >= first - step.step, known.through <= last,
            samples(through: known.through) == known.samples
        {
            moment = known.through + step.step
        } else {
            self.letGo(self.results.count)
        }
        while moment <= last {
            let result = try step.inner.value(of: run, at: moment, &self.inner, roundsComparisons: rounds)
            if let value = result.value { self.results.append(Sample(time: moment, value: value)) }
            moment = moment + step.step
        }
        self.known = (last, samples(through: last))
    }
}
