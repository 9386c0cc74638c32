// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// A bucket of a classic histogram: how many observations were not greater than the bound.
private struct Bucket {
    var bound: Double
    var count: Double
}

extension Evaluation {
    /// `histogram_quantile` of classic histograms.
    func histogramQuantile(_ plan: CallPlan, _ grid: StepGrid) throws -> VectorGrid {
        let shares = try self.scalar(plan.arguments[0], grid)
        let vector = try self.vector(plan.arguments[1], grid)
        self.checkShare(shares)
        return self.histograms(vector) { buckets, step, name in self.quantile(shares[step], of: buckets, name: name) }
    }

    /// `histogram_quantiles`: several quantiles, told apart by a label.
    func histogramQuantiles(_ plan: CallPlan, _ grid: StepGrid) throws -> VectorGrid {
        let vector = try self.vector(plan.arguments[0], grid)
        var result = VectorGrid(steps: grid.count)
        for argument in plan.arguments.dropFirst(2) {
            let shares = try self.scalar(argument, grid)
            self.checkShare(shares)
            let quantiles = self.histograms(vector) { buckets, step, name in
                self.quantile(shares[step], of: buckets, name: name)
            }
            // A share that moves with the steps has as many labels.
            let texts = grid.times.indices.map { NumberText.openMetrics(shares[$0]) }
            for text in Set(texts).sorted() {
                try self.meter.hold(series: quantiles.count, steps: grid.count)
                for (row, entry) in quantiles.rows.enumerated() {
                    result.append(dropsName: entry.dropsName && plan.text(1) != Labels.metricName) { places in
                        for step in places.indices where texts[step] == text {
                            places[step] = quantiles.value(row, step)
                        }
                        return entry.labels.with(plan.text(1), text)
                    }
                }
            }
        }
        return try self.joined(result)
    }

    /// `histogram_fraction` of classic histograms: which share of the observations lies between two values.
    func histogramFraction(_ plan: CallPlan, _ grid: StepGrid) throws -> VectorGrid {
        let lower = try self.scalar(plan.arguments[0], grid)
        let upper = try self.scalar(plan.arguments[1], grid)
        let vector = try self.vector(plan.arguments[2], grid)
        return self.histograms(vector) { buckets, step, _ in
            Self.fraction(from: lower[step], to: upper[step], of: buckets)
        }
    }

    /// Makes one number of each histogram at each step: elements that differ only in `le` are one histogram.
    ///
    /// `value` gets the buckets in the order of their bounds, each bound once, at least one; the step; the metric name.
    private func histograms(
        _ vector: VectorGrid,
        value: (_ buckets: [Bucket], _ step: Int, _ name: String) -> Double
    ) -> VectorGrid {
        var order: [Labels] = []
        var histograms: [Labels: [(row: Int, bound: Double)]] = [:]
        for (row, entry) in vector.rows.enumerated() {
            let text = entry.labels["le"]
            guard let bound = text == "+Inf" ? .infinity : Double(text) else {
                self.warn(
                    "PromQL warning: bucket label \"le\" is missing or has a malformed value of \(NumberText.quoted(text))"
                )
                continue
            }
            let labels = entry.labels.removing("le")
            if histograms[labels] == nil { order.append(labels) }
            histograms[labels, default: []].append((row, bound))
        }
        var result = VectorGrid(steps: vector.steps)
        for labels in order {
            let rows = (histograms[labels] ?? []).sorted { $0.bound < $1.bound }
            result.append(dropsName: true) { places in
                for step in places.indices {
                    var buckets: [Bucket] = []
                    for (row, bound) in rows {
                        let count = vector.value(row, step)
                        if count.isAbsent { continue }
                        if buckets.last?.bound == bound {
                            buckets[buckets.count - 1].count += count
                        } else {
                            buckets.append(Bucket(bound: bound, count: count))
                        }
                    }
                    if !buckets.isEmpty { places[step] = value(buckets, step, labels.metric) }
                }
                return labels
            }
        }
        return result
    }

    private func quantile(_ share: Double, of sorted: [Bucket], name: String) -> Double {
        if share.isNaN { return .nan }
        if share < 0 { return -.infinity }
        if share > 1 { return .infinity }
        var buckets = sorted
        guard buckets.last?.bound == .infinity else { return .nan }
        if Self.makeMonotonic(&buckets) {
            self.warn(
                "PromQL info: input to histogram_quantile needed to be fixed for monotonicity "
                    + "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile): "
                    + NumberText.quoted(name)
            )
        }
        guard buckets.count >= 2 else { return .nan }
        let observations = buckets[buckets.count - 1].count
        guard observations != 0 else { return .nan }
        var rank = share * observations
        let place = buckets.dropLast().firstIndex { $0.count >= rank } ?? buckets.count - 1
        if place == buckets.count - 1 { return buckets[buckets.count - 2].bound }
        if place == 0, buckets[0].bound <= 0 { return buckets[0].bound }
        var start = 0.0
        let end = buckets[place].bound
        var count = buckets[place].count
        if place > 0 {
            start = buckets[place - 1].bound
            count -= buckets[place - 1].count
            rank -= buckets[place - 1].count
        }
        return start + (end - start) * (rank / count)
    }

    /// Inside a bucket its observations are taken to be spread evenly; in one without a finite bound they count as if
    /// they lay at the other.
    private static func fraction(from lower: Double, to upper: Double, of buckets: [Bucket]) -> Double {
        guard let last = buckets.last, last.bound == .infinity, last.count != 0, !lower.isNaN, !upper.isNaN else {
            return .nan
        }
        if lower >= upper { return 0 }
        return (Self.rank(of: upper, in: buckets) - Self.rank(of: lower, in: buckets)) / last.count
    }

    /// How many observations are not greater than a value; the last bucket is that of infinity.
    private static func rank(of value: Double, in buckets: [Bucket]) -> Double {
        var start = buckets[0].bound > 0 ? 0 : -Double.infinity
        var before = 0.0
        let all = buckets[buckets.count - 1].count
        for bucket in buckets {
            if start >= value { return min(before, all) }
            if bucket.bound > value {
                if start == -.infinity { return min(bucket.count, all) }
                let part = (value - start) / (bucket.bound - start)
                return min(before + (bucket.count - before) * part, all)
            }
            start = bucket.bound
            before = bucket.count
        }
        return all
    }

    /// Raises counts that fall below the one before; returns whether one fell by more than rounding explains.
    private static func makeMonotonic(_ buckets: inout [Bucket]) -> Bool {
        var isForced = false
        var before = buckets[0].count
        for index in buckets.indices.dropFirst() {
            let count = buckets[index].count
            if count == before { continue }
            let isClose = abs(count - before) < 1e-12 * (abs(count) + abs(before))
            if isClose || count < before {
                buckets[index].count = before
                if !isClose { isForced = true }
            } else {
                before = count
            }
        }
        return isForced
    }
}

extension NumberText {
    /// As OpenMetrics and `histogram_quantiles` write a quantile: `0.0`, `0.99`, `1.0`.
    static func openMetrics(_ value: Double) -> String {
        guard value.isFinite else { return self.text(value) }
        if value == 0 { return "0.0" }
        guard abs(value) >= 1e6 else { return "\(value)" }
        let texts = (0..<17).lazy.map { String(format: "%.\($0)e", value) }
        return texts.first { Double($0) == value } ?? "\(value)"
    }
}
