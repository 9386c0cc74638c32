// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Evaluation {
    /// Over shorter windows the samples are read.
    private static let shortestSummarized = 6 * Milliseconds.hour

    /// A function of the windows of a range selector or subquery.
    func overWindows(_ plan: CallPlan, _ grid: StepGrid) throws -> VectorGrid {
        var parameters: [ScalarSteps] = []
        var source: Plan?
        for argument in plan.arguments {
            if argument.type == .matrix {
                source = argument
            } else {
                parameters.append(try self.scalar(argument, grid))
            }
        }
        let function = WindowFunction(function: plan.function, parameters: parameters, times: grid.times)
        let keepsName = plan.function == .lastOverTime || plan.function == .firstOverTime
        let result: VectorGrid
        switch source {
        case .window(let selector) where selector.selector.borders != nil:
            result = try self.sweepBorders(selector, grid, plan.function)
        case .window(let selector): result = try self.sweep(selector, grid, function, dropsName: !keepsName)
        case .subquery(let subquery):
            let inner = try self.rows(of: subquery, grid)
            var rows = VectorGrid(steps: grid.count)
            for row in inner.vectors.rows.indices {
                try self.meter.check()
                let series = inner.series(row)
                let windows = inner.windows(of: series)
                let dropsName = !keepsName || inner.vectors.rows[row].dropsName
                try rows.append(dropsName: dropsName) { places in
                    try function.fill(places, windows)
                    return series.labels
                }
            }
            result = rows
        default: throw PromQLError(.execution, "expected a range vector")
        }
        if !result.isEmpty {
            if plan.function == .quantileOverTime { self.checkShare(parameters[0]) }
            if let note = plan.note { self.warn(note) }
        }
        return result
    }

    func checkShare(_ shares: ScalarSteps) {
        func check(_ share: Double) {
            if !(0...1).contains(share) {
                self.warn("PromQL warning: quantile value should be between 0 and 1, got \(NumberText.text(share))")
            }
        }
        switch shares {
        case .same(let share): check(share)
        case .each(let shares): shares.forEach(check)
        }
    }

    private func sweep(
        _ plan: SelectorPlan,
        _ grid: StepGrid,
        _ function: WindowFunction,
        dropsName: Bool
    ) throws -> VectorGrid {
        let sweep = SelectorSweep(plan: plan, grid: grid, frame: self.frame)
        sweep.notePeek(&self.findings)
        let frame = self.frame
        let length = plan.selector.window ?? 0
        let spans = grid.times.map { frame.window(length, through: frame.moment(plan.selector.modifiers, at: $0)) }
        let isSummarized = !frame.tracks && !plan.readsBorder && length >= Self.shortestSummarized
        let summary = isSummarized ? function.summary : nil
        return try self.rows(
            of: plan,
            steps: grid.count,
            dropsName: dropsName,
            summarizes: summary != nil
        ) { source, row, findings in
            if let summary, let known = try source.summaries(in: spans) {
                for (step, window) in known.summaries.enumerated() {
                    if let window { row[step] = summary(window) }
                }
                return known.labels
            }
            guard let series = try source.columns()?.withoutStaleMarkers, !series.times.isEmpty else { return nil }
            var windows = SeriesWindows(series: series, spans: spans)
            sweep.eachWindow(of: series, &findings) { step, places, _ in windows.places[step] = places }
            try function.fill(row, windows)
            return series.labels
        }
    }

    /// The same of an anchored or smoothed selector.
    private func sweepBorders(_ plan: SelectorPlan, _ grid: StepGrid, _ function: Function) throws -> VectorGrid {
        let sweep = SelectorSweep(plan: plan, grid: grid, frame: self.frame)
        sweep.notePeek(&self.findings)
        return try self.rows(of: plan, steps: grid.count, dropsName: true) { source, row, findings in
            guard let series = try source.columns()?.withoutStaleMarkers else { return nil }
            sweep.eachBorderedWindow(of: series, &findings) { step, window in
                if let value = window.value(of: function) { row[step] = value }
            }
            return series.labels
        }
    }

    // MARK: Subqueries

    /// A subquery evaluated at all its steps, for all windows of an outer grid.
    struct SubqueryRows {
        let plan: SubqueryPlan
        /// The subquery's own steps.
        let grid: StepGrid
        let vectors: VectorGrid
        /// The windows, one for each step of the outer grid.
        let spans: [TimeWindow]

        /// A row as a series; its places are the steps at which it has an element.
        func series(_ row: Int) -> SeriesColumns {
            var series = SeriesColumns(labels: self.vectors.rows[row].labels, times: [], values: [], marks: [])
            for (time, value) in zip(self.grid.times, self.vectors.values(of: row)) where !value.isAbsent {
                series.times.append(time)
                series.values.append(value)
            }
            return series
        }

        func windows(of series: SeriesColumns) -> SeriesWindows {
            var windows = SeriesWindows(series: series, spans: self.spans)
            var (first, end) = (0, 0)
            for (step, span) in self.spans.enumerated() {
                first = series.times.advance(first, past: span.after)
                end = series.times.advance(max(first, end), past: span.through)
                windows.places[step] = first..<end
            }
            return windows
        }
    }

    /// Evaluates the inner expression at the multiples of the step inside the windows.
    func rows(of plan: SubqueryPlan, _ grid: StepGrid) throws -> SubqueryRows {
        let subquery = plan.subquery
        let step = max(1, subquery.step ?? self.frame.options.defaultSubqueryStep)
        let frame = self.frame
        let days = frame.days
        let origin = days?.origin(ofStep: step) ?? 0
        // Steps of whole days are the ends of days: as many of them as the range has days, whatever the time of day.
        let isOfDays = days.map { $0.count(subquery.window) && !$0.count(step) } ?? false
        let spans = grid.times.map { time in
            let through = frame.moment(subquery.modifiers, at: time)
            return isOfDays
                ? frame.window(subquery.window, through: through)
                : TimeWindow(after: through - subquery.window, through: through)
        }
        if frame.tracks, !plan.isInSubquery {
            for span in spans {
                if let next = StepGrid.multiple(of: step, from: origin, after: span.through) {
                    self.findings.noteChange(next, subquery.modifiers)
                }
                if isOfDays, let days {
                    self.findings.noteChange(days.turn(after: span.through), subquery.modifiers)
                } else if let first = StepGrid.multiple(of: step, from: origin, after: span.after),
                    first <= span.through
                {
                    self.findings.noteChange(first + subquery.window, subquery.modifiers)
                }
            }
        }
        let limit = frame.options.limits.subquerySteps
        let inner = StepGrid(
            multiplesOf: step,
            from: origin,
            inWindows: spans,
            limit: limit - self.subqueryStepCount
        )
        guard let inner else {
            throw PromQLError(
                .limit,
                "subqueries have more than \(limit) steps",
                hint: "ask for a longer step or a shorter range"
            )
        }
        self.subqueryStepCount += inner.count
        let vectors =
            plan.inner.type == .scalar
            ? VectorGrid(steps: inner.count, labels: .empty, try self.scalar(plan.inner, inner))
            : try self.joined(try self.vector(plan.inner, inner))
        return SubqueryRows(plan: plan, grid: inner, vectors: vectors, spans: spans)
    }

    // MARK: Raw windows

    /// The samples of a range selector or subquery at the one step of a grid, as an instant query shows them.
    func matrix(_ plan: Plan, _ grid: StepGrid) throws -> [RangeSeries] {
        switch plan {
        case .window(let selector):
            let sweep = SelectorSweep(plan: selector, grid: grid, frame: self.frame)
            sweep.notePeek(&self.findings)
            let selection = try self.reader.selection(try self.request(selector))
            var result: [RangeSeries] = []
            for index in 0..<selection.count {
                try self.meter.check()
                let source = RowSource(selection: selection, index: index, meter: self.meter)
                guard let series = try source.columns()?.withoutStaleMarkers else { continue }
                if selector.selector.borders != nil {
                    sweep.eachBorderedWindow(of: series, &self.findings) { _, window in
                        if let points = window.points { result.append(points) }
                    }
                    if let points = result.last { try self.meter.hold(series: 1, steps: points.times.count) }
                    continue
                }
                // They are all held until the answer is written.
                try self.meter.hold(series: 1, steps: series.times.count)
                sweep.eachWindow(of: series, &self.findings) { _, places, _ in
                    result.append(
                        RangeSeries(
                            labels: series.labels,
                            times: Array(series.times[places]),
                            values: Array(series.values[places])
                        )
                    )
                }
            }
            return result
        case .subquery(let subquery):
            let inner = try self.rows(of: subquery, grid)
            return inner.vectors.rows.indices.compactMap { row in
                let series = inner.series(row)
                if series.times.isEmpty { return nil }
                let labels =
                    inner.vectors.rows[row].dropsName ? series.labels.removingMetadata() : series.labels
                return RangeSeries(labels: labels, times: series.times, values: series.values)
            }
        case .number, .string, .instant, .negation, .scalarOperation, .vectorScalar, .scalarVector, .vectorVector,
            .aggregation, .call:
            throw PromQLError(.execution, "expected a range vector")
        }
    }
}
