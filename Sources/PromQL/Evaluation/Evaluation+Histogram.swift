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
    func histogramQuantile(_ plan: CallPlan, at time: Timestamp) throws -> [Element] {
        let share = try self.scalar(plan.arguments[0], at: time)
        let vector = try self.vector(plan.arguments[1], at: time)
        if !(0...1).contains(share) {
            self.warn("PromQL warning: quantile value should be between 0 and 1, got \(NumberText.text(share))")
        }
        var order: [Labels] = []
        var histograms: [Labels: (buckets: [Bucket], dropsName: Bool)] = [:]
        for element in vector {
            let text = element.labels["le"]
            guard let bound = text == "+Inf" ? .infinity : Double(text) else {
                self.warn(
                    "PromQL warning: bucket label \"le\" is missing or has a malformed value of \(NumberText.quoted(text))"
                )
                continue
            }
            let labels = element.labels.removing("le")
            if histograms[labels] == nil { order.append(labels) }
            histograms[labels, default: ([], false)].buckets.append(Bucket(bound: bound, count: element.value))
            if element.dropsName { histograms[labels]?.dropsName = true }
        }
        return order.map { labels in
            let buckets = histograms[labels]?.buckets ?? []
            let value = self.quantile(share, of: buckets, name: labels.metric)
            return Element(labels: labels, value: value, dropsName: true)
        }
    }

    private func quantile(_ share: Double, of unsorted: [Bucket], name: String) -> Double {
        if share.isNaN { return .nan }
        if share < 0 { return -.infinity }
        if share > 1 { return .infinity }
        var buckets: [Bucket] = []
        for bucket in unsorted.sorted(by: { $0.bound < $1.bound }) {
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
