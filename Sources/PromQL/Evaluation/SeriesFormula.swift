// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A query that makes one number of the samples of one series, in a form that needs neither labels nor a reader.
///
/// Rules ask the same small thing at every reading: the newest value, or what it is above the least of the last hour.
/// The evaluator answers that, too, with vectors, labels and matching, which cost many times the arithmetic. The result
/// is the evaluator's own to the bit; queries that do not fit have no formula.
package struct SeriesFormula: Sendable {
    private enum Step: Sendable {
        case number(Double)
        /// The newest value that is not older than the look-back.
        case newest
        case window(WindowStep)
        case subquery(SubqueryStep)
        case negation
        /// A function of each number by itself, with its scalar arguments.
        case elementary(Function)
        case bounded(Function, Double, Double)
        case arithmetic(BinaryOperator)
        /// `keepsRight`: what passes is the right side, because the left one is a number.
        case comparison(BinaryOperator, returnsBool: Bool, keepsRight: Bool)
    }

    private struct WindowStep: Sendable {
        let function: Function
        let length: Milliseconds
        let readsBorder: Bool
        let parameters: [Double]
        /// Its place among the windows.
        let number: Int
    }

    struct SubqueryStep: Sendable {
        let function: Function
        let length: Milliseconds
        let step: Milliseconds
        let inner: SeriesFormula
        let parameters: [Double]
        /// Its place among the subqueries.
        let number: Int
    }

    /// What is carried on from one evaluation over a series to the next; to be made anew for another series.
    package struct State: Sendable {
        fileprivate var windows: [RunningWindow]
        fileprivate var subqueries: [RunningSubquery]
    }

    /// What a formula says at a time.
    package struct Result {
        /// Nil where the query has no result.
        package var value: Double?
        /// How the value changes with the evaluation time, per second, as long as no sample comes or goes; NaN where nobody
        /// knows.
        package var slope = 0.0
        /// The earliest time at which what it rests on could change although no sample arrives.
        package var nextChange = Timestamp.distantFuture

        /// Nothing, until a sample arrives.
        package init() {}
    }

    private static let deepest = 8
    /// Subqueries with more steps are left to the evaluator, which counts and limits them.
    private static let mostSubquerySteps: Int64 = 2048

    /// What the series is selected by; the same for all selectors of the query.
    package let matchers: [LabelMatcher]
    /// How long before the evaluation time a sample may lie and still be read by a window.
    package let reach: Milliseconds
    /// In the order in which the evaluator looks at them.
    private let steps: [Step]
    private let functions: [Function]
    private let subqueries: [SubqueryStep]
    /// Whether the value moves with the evaluation time: projections.
    package var movesWithTime: Bool { self.functions.contains(.predictLinear) }

    package var newState: State {
        State(
            windows: self.functions.map(RunningWindow.init),
            subqueries: self.subqueries.map { RunningSubquery($0.function, inner: $0.inner.newState) }
        )
    }

    /// - Returns: Nil where the query is not of one series, or uses more than windows, arithmetic and comparisons.
    package init?(_ query: Query) {
        guard query.type == .vector, !query.hasSpanFormulas, let first = query.selectors.first else { return nil }
        guard !first.matchers.contains(where: { Selector.isOnMarks($0.name) }),
            query.selectors.allSatisfy({ selector in
                selector.matchers == first.matchers && selector.modifiers == TimeModifiers() && selector.borders == nil
            })
        else { return nil }
        if let days = query.days, query.selectors.contains(where: { days.count($0.window ?? 0) }) { return nil }
        self.init(query.plan, matchers: first.matchers)
        // The steps of a day's subquery lie elsewhere.
        if query.days != nil, !self.subqueries.isEmpty { return nil }
    }

    private init?(_ plan: Plan, matchers: [LabelMatcher]) {
        var steps: [Step] = []
        guard let depth = Self.compile(plan, matchers, &steps), depth <= Self.deepest else { return nil }
        self.matchers = matchers
        self.steps = steps
        var functions: [Function] = []
        var subqueries: [SubqueryStep] = []
        var longest: Milliseconds = 0
        for step in steps {
            switch step {
            case .window(let window):
                functions.append(window.function)
                longest = max(longest, window.length)
            case .subquery(let subquery):
                subqueries.append(subquery)
                longest = max(longest, subquery.length + subquery.inner.reach)
            case .number, .newest, .negation, .elementary, .bounded, .arithmetic, .comparison: break
            }
        }
        self.functions = functions
        self.subqueries = subqueries
        // The sample at the open border of a window may be asked for.
        self.reach = longest + 1
    }

    /// - Returns: How deep the stack becomes; nil for what has no step.
    private static func compile(_ plan: Plan, _ matchers: [LabelMatcher], _ steps: inout [Step]) -> Int? {
        switch plan {
        case .number(let value): steps.append(.number(value))
        case .instant: steps.append(.newest)
        case .call(let call):
            guard call.note == nil else { return nil }
            if let step = Self.pointStep(call) {
                guard let depth = Self.compile(call.arguments[0], matchers, &steps) else { return nil }
                steps.append(step)
                return depth
            }
            guard Self.isWindowFunction(call.function), let step = Self.windowStep(call, matchers, after: steps) else {
                return nil
            }
            steps.append(step)
        case .negation(let inner):
            guard inner.type == .vector, let depth = Self.compile(inner, matchers, &steps) else { return nil }
            steps.append(.negation)
            return depth
        case .vectorScalar(let binary), .scalarVector(let binary), .vectorVector(let binary):
            guard binary.matching == VectorMatching(),
                ![.and, .or, .unless].contains(binary.operation),
                let left = Self.compile(binary.left, matchers, &steps),
                let right = Self.compile(binary.right, matchers, &steps)
            else { return nil }
            if binary.operation.isComparison {
                let keepsRight = binary.left.type == .scalar
                steps.append(
                    .comparison(binary.operation, returnsBool: binary.returnsBool, keepsRight: keepsRight)
                )
            } else {
                steps.append(.arithmetic(binary.operation))
            }
            return max(left, right + 1)
        case .string, .window, .subquery, .scalarOperation, .aggregation: return nil
        }
        return 1
    }

    private static func pointStep(_ call: CallPlan) -> Step? {
        guard let first = call.arguments.first, first.type == .vector else { return nil }
        let bounds = call.arguments.dropFirst().compactMap(self.constant)
        guard bounds.count == call.arguments.count - 1 else { return nil }
        switch call.function {
        case .round, .clamp, .clampMin, .clampMax: return .bounded(call.function, bounds.first ?? 1, bounds.last ?? 1)
        case .abs, .ceil, .floor, .sqrt, .exp, .ln, .log2, .log10, .sgn: return .elementary(call.function)
        default: return nil
        }
    }

    private static func windowStep(_ call: CallPlan, _ matchers: [LabelMatcher], after steps: [Step]) -> Step? {
        var parameters: [Double] = []
        var sources: [Plan] = []
        for argument in call.arguments {
            if argument.type == .matrix {
                sources.append(argument)
            } else {
                guard let constant = Self.constant(argument) else { return nil }
                parameters.append(constant)
            }
        }
        guard sources.count == 1 else { return nil }
        switch sources[0] {
        case .window(let selector):
            guard let length = selector.selector.window else { return nil }
            return .window(
                WindowStep(
                    function: call.function,
                    length: length,
                    readsBorder: selector.readsBorder,
                    parameters: parameters,
                    number: steps.count { if case .window = $0 { true } else { false } }
                )
            )
        case .subquery(let plan):
            let subquery = plan.subquery
            // What covers a time, and what lies ahead, is asked of readings.
            guard ![.coveredSumOverTime, .possibleSumOverTime, .predictLinear].contains(call.function),
                subquery.modifiers == TimeModifiers(), let step = subquery.step, step > 0, plan.inner.type == .vector,
                subquery.window / step <= Self.mostSubquerySteps,
                let inner = SeriesFormula(plan.inner, matchers: matchers)
            else { return nil }
            return .subquery(
                SubqueryStep(
                    function: call.function,
                    length: subquery.window,
                    step: step,
                    inner: inner,
                    parameters: parameters,
                    number: steps.count { if case .subquery = $0 { true } else { false } }
                )
            )
        default: return nil
        }
    }

    /// The number that a scalar without series or time always is.
    private static func constant(_ plan: Plan) -> Double? {
        switch plan {
        case .number(let value): return value
        case .negation(let inner): return self.constant(inner).map { -$0 }
        case .scalarOperation(let binary) where !binary.operation.isComparison:
            guard let left = self.constant(binary.left), let right = self.constant(binary.right) else { return nil }
            return PromQL.arithmetic(binary.operation, left, right)
        default: return nil
        }
    }

    private static func isWindowFunction(_ function: Function) -> Bool {
        switch function {
        case .minOverTime, .maxOverTime, .avgOverTime, .sumOverTime, .countOverTime, .stddevOverTime, .stdvarOverTime,
            .lastOverTime, .firstOverTime, .presentOverTime, .madOverTime, .changes, .resets, .irate, .idelta, .deriv,
            .coveredSumOverTime, .possibleSumOverTime, .predictLinear, .quantileOverTime:
            true
        default: false
        }
    }

    /// What the query says at a time.
    ///
    /// - Parameters:
    ///   - run: All samples of the series from ``reach`` and its look-back before `time` on, of the qualities that are
    ///     asked for; later ones than `time` are not seen. Stored, not computed. Between calls samples are only added at
    ///     the end and let go of at the beginning.
    ///   - time: Of the evaluation.
    ///   - state: From the evaluation before over the same series.
    ///   - roundsComparisons: See ``EvaluationOptions/roundsComparisons``.
    /// - Returns: The value, and until when it holds.
    /// - Throws: ``PromQLError``, as the evaluator would.
    package func value(
        of run: SampleRun,
        at time: Timestamp,
        _ state: inout State,
        roundsComparisons: Bool
    ) throws -> Result {
        var stack = InlineArray<8, Number>(repeating: Number(value: 0))
        var top = 0
        var result = Result()
        let end = run.count(through: time, near: run.count)
        for step in self.steps {
            switch step {
            case .number(let value):
                stack[top] = Number(value: value)
                top += 1
            case .newest:
                guard end > 0 else { return result }
                let expiry = run[end - 1].time + run.lookback
                guard expiry > time else { return result }
                result.nextChange = min(result.nextChange, expiry)
                stack[top] = Number(value: run[end - 1].value)
                top += 1
            case .window(let step):
                let after = time - step.length
                let first = state.windows[step.number].first(of: run, after: after)
                guard first < end else { return result }
                result.nextChange = min(result.nextChange, run[first].time + step.length)
                let window = SampleWindow(run: run, first: first, end: end, after: after, through: time)
                if step.readsBorder, window.isCoveredByBorder {
                    result.nextChange = min(result.nextChange, time + 1)
                }
                let value = try state.windows[step.number].value(of: window, parameters: step.parameters, at: time)
                guard let value else { return result }
                stack[top] = value
                top += 1
            case .subquery(let step):
                let value = try state.subqueries[step.number]
                    .value(
                        of: step,
                        over: run,
                        at: time,
                        rounds: roundsComparisons,
                        nextChange: &result.nextChange
                    )
                guard let value else { return result }
                stack[top] = Number(value: value)
                top += 1
            case .negation: stack[top - 1] = Number(value: -stack[top - 1].value, slope: -stack[top - 1].slope)
            case .elementary(let function):
                let argument = stack[top - 1]
                let value = Evaluation.elementary(function, argument.value)
                stack[top - 1] = Number(value: value, slope: argument.slope == 0 ? 0 : .nan)
            case .bounded(let function, let first, let second):
                let argument = stack[top - 1]
                let value = Evaluation.bounded(function, argument.value, first, second)
                let slope = argument.slope == 0 ? 0 : Double.nan
                if value.isAbsent {
                    result.slope = slope
                    return result
                }
                stack[top - 1] = Number(value: value, slope: slope)
            case .arithmetic(let operation):
                top -= 1
                stack[top - 1] = Self.combine(operation, stack[top - 1], stack[top])
            case .comparison(let operation, let returnsBool, let keepsRight):
                top -= 1
                let (left, right) = (stack[top - 1], stack[top])
                // When it will hold, or no longer, is not worked out here.
                let isStill = left.slope == 0 && right.slope == 0
                let holds = Evaluation.compare(operation, left.value, right.value, rounded: roundsComparisons)
                guard holds || returnsBool else {
                    result.slope = isStill ? 0 : .nan
                    return result
                }
                stack[top - 1] = returnsBool ? Number(value: holds ? 1 : 0) : (keepsRight ? right : left)
                if !isStill { stack[top - 1].slope = .nan }
            }
        }
        result.value = stack[0].value
        result.slope = stack[0].slope
        return result
    }

    private typealias Number = RunningWindow.Value

    private static func combine(_ operation: BinaryOperator, _ left: Number, _ right: Number) -> Number {
        let value = PromQL.arithmetic(operation, left.value, right.value)
        if left.slope == 0, right.slope == 0 { return Number(value: value) }
        switch operation {
        case .add: return Number(value: value, slope: left.slope + right.slope)
        case .subtract: return Number(value: value, slope: left.slope - right.slope)
        case .multiply where left.slope == 0: return Number(value: value, slope: left.value * right.slope)
        case .multiply where right.slope == 0: return Number(value: value, slope: left.slope * right.value)
        case .divide where right.slope == 0: return Number(value: value, slope: left.slope / right.value)
        default: return Number(value: value, slope: .nan)
        }
    }
}

extension SeriesColumns {
    /// Whether one of the values is Prometheus's mark for the end of a series.
    package var hasStaleMarker: Bool { self.values.contains(where: \.isStaleMarker) }
}

extension Double {
    /// Whether it is Prometheus's mark for the end of a series.
    package var endsSeries: Bool { self.isStaleMarker }
}
