// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

extension Catalog {
    /// The tests of a stored series, with what they remember of it; nil where none is made.
    func tests(of stored: Labels) -> SeriesTests? {
        guard let plan = self.qualityPlan(of: stored) else { return nil }
        return SeriesTests(plan, self.keys.track(of: self.keys.key(for: stored)))
    }

    /// The tests of a stored series; nil where none is made.
    ///
    /// A series of a device that gains channels has them from before its first reading on.
    package func qualityPlan(of stored: Labels) -> QualityPlan? {
        guard let entry = self.entries[stored.site] else { return nil }
        for plan in entry.plans {
            for channel in plan.channels {
                if channel.series.labels == stored { return channel.quality?.plan }
                if let rain = channel.rain, rain.depth.labels == stored { return rain.quality?.plan }
            }
        }
        let override = entry.site.quality[stored.metric]
        let gained = entry.gained(stored)
        guard gained != nil || entry.takesGenericSeries(stored) else { return nil }
        // Depths that follow from a counter that was gained have no tests of the model.
        let model = gained.flatMap { $0.channel.metric == stored.metric ? $0.channel.quality : nil }
        guard let parameters = override.map({ $0.applied(to: model) }) ?? model else { return nil }
        let schedule = gained.map { $0.plan.gainable.schedule(of: $0.channel, on: $0.plan.device) }
        return QualityPlan(
            parameters,
            metric: stored.metric,
            schedule: schedule ?? entry.generic.first?.device.schedule
        )
    }
}
