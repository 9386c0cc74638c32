// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import SeriesStorage
package import StrictYAML
import Telemetry

extension RetentionRule {
    /// Reads the list `retention` of a configuration file.
    ///
    /// ```yaml
    /// - match: 'battery_volts{org="yunshang"}'
    ///   keep: 90d
    ///   thin: [{ after: 30d, to: 1h, by: average }]
    /// ```
    ///
    /// What is wrong is reported with its place; `source` has the lines of the file.
    package static func read(_ value: YAMLValue, source: [Substring]) -> [RetentionRule] {
        (value.list ?? []).compactMap { RetentionRule($0, source: source) }
    }

    private init?(_ value: YAMLValue, source: [Substring]) {
        guard let map = value.mapping(keys: ["match", "keep", "thin"]) else { return nil }
        let matchers = map.required("match").flatMap { Self.matchers($0, source: source) }
        self.init(matchers: matchers ?? [])
        if let keep = map["keep"] { self.keep = Self.duration(keep) }
        for item in map["thin"]?.list ?? [] {
            guard let thinning = Self.thinning(item) else { continue }
            if let keep = self.keep, thinning.after >= keep {
                item.report("nothing is left to thin: samples are kept for \(PrometheusDuration.text(keep)) only")
            }
            if let before = self.thin.last {
                if thinning.after <= before.after {
                    item.report("write what thins younger samples first: 'after' must grow from one to the next")
                } else if thinning.to % before.to != 0 || thinning.to == before.to {
                    item.report(
                        "'to' must be a multiple of the \(PrometheusDuration.text(before.to)) that the samples were "
                            + "thinned to before"
                    )
                }
            }
            self.thin.append(thinning)
        }
        guard matchers != nil else { return nil }
    }

    private static func thinning(_ value: YAMLValue) -> Thinning? {
        guard let map = value.mapping(keys: ["after", "to", "by"]) else { return nil }
        let after = map.required("after").flatMap(Self.duration)
        let to = map.required("to").flatMap(Self.duration)
        var aggregate: SeriesRetention.Aggregate?
        if let by = map["by"], let name = by.string {
            aggregate = SeriesRetention.Aggregate(rawValue: name)
            if aggregate == nil {
                let known = SeriesRetention.Aggregate.allCases.map(\.rawValue).joined(separator: ", ")
                by.report("'\(name)' is no way to thin; write one of \(known)")
            }
        }
        guard let after, let to else { return nil }
        return Thinning(after: after, to: to, by: aggregate)
    }

    private static func duration(_ value: YAMLValue) -> Milliseconds? {
        guard let text = value.string else { return nil }
        // Ten thousand years: beyond it no moment can be computed.
        guard let span = PrometheusDuration.parse(text), span > 0, span <= 10_000 * 365 * .day else {
            value.report("'\(text)' is no duration; write for example 36h, 90d, 4w or 2y")
            return nil
        }
        return span
    }

    private static func matchers(_ value: YAMLValue, source: [Substring]) -> [LabelMatcher]? {
        guard let text = value.string else { return nil }
        do {
            let query = try Query(parsing: text)
            guard case .selector(let selector) = query.expression, selector.window == nil,
                selector.offset == 0, selector.at == nil
            else {
                value.report("'\(text)' is no selector of series; write for example battery_volts{org=\"yunshang\"}")
                return nil
            }
            if let condition = selector.matchers.first(where: { Selector.isOnMarks($0.name) }) {
                value.report("\(condition.name) is no label of series: all samples of a series are kept alike")
                return nil
            }
            return selector.matchers
        } catch {
            let hint = error.hint.map { "; \($0)" } ?? ""
            value.report(error.message + hint, atByte: error.position?.offset ?? 0, source: source)
            return nil
        }
    }
}
