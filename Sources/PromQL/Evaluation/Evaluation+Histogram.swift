// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// A bucket of a classic histogram: how many observations were not greater than the bound.
private struct Bucket {
    var bound: Double
    var count: Double
}

extension Evaluation {
    /// `histogram_quantile` of classic histograms: elements that differ only in `le` are one histogram.
    func histogramQuantile(_ plan: CallPlan, _ grid: StepGrid) throws -> VectorGrid {
        let shares = try self.scalar(plan.arguments[0], grid)
        let vector = try self.vector(plan.arguments[1], grid)
        self.checkShare(shares)
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
        var result = VectorGrid(steps: grid.count)
        for labels in order {
            let rows = (histograms[labels] ?? []).sorted { $0.bound < $1.bound }
            result.append(dropsName: true) { places in
                for step in places.indices {
                    let buckets = rows.compactMap { row, bound -> Bucket? in
                        let count = vector.value(row, step)
                        return count.isAbsent ? nil : Bucket(bound: bound, count: count)
                    }
                    guard !buckets.isEmpty else { continue }
                    places[step] = self.quantile(shares[step], of: buckets, name: labels.metric)
                }
                return labels
            }
        }
        return result
    }

    /// The buckets are in the order of their bounds.
    private func quantile(_ share: Double, of sorted: [Bucket], name: String) -> Double {
        if share.isNaN { return .nan }
        if share < 0 { return -.infinity }
        if share > 1 { return .infinity }
        var buckets: [Bucket] = []
        for bucket in sorted {
            if buckets.last?.bound == bucket.bound {
                buckets[buckets.count - 1].count += bucket.count
            } else {
                buckets.append(bucket)
            }
        }
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
