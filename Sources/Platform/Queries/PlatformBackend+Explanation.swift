// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
package import EarlyWarning
package import HTTPAPI
package import PromQL
import SeriesStorage
import StrictYAML
package import Telemetry

extension PlatformBackend {
    /// More rules than that are not explained at once.
    private static let mostExplained = 50

    package func explanation(
        of alert: String,
        site: String?,
        at time: Timestamp?,
        org: String?
    ) async throws -> @Sendable (EvaluationOptions) throws -> [RuleExplanation] {
        let isVisible = self.isVisible(to: org)
        if let site { try self.requireSite(site, org: org) }
        let seen = try await self.processor.look { core in
            (
                rules: core.rules, alerts: core.alerts, newest: core.engine.newestClock,
                clock: site.flatMap { core.engine.clock(ofSite: $0) }
            )
        }
        let rules = seen.rules.alerts(named: alert)
        guard !rules.isEmpty else {
            let names = Set(seen.rules.alerts.map(\.name)).sorted().joined(separator: ", ")
            throw APIProblem.notFound("there is no rule '\(alert)'; the alerts are: \(names.isEmpty ? "none" : names)")
        }
        guard rules.count <= Self.mostExplained else {
            throw APIProblem.badInput("'\(alert)' means \(rules.count) rules; write more of the name")
        }
        let isDataClock = self.options.clock == .data && seen.newest > .distantPast
        let moment = time ?? seen.clock ?? (isDataClock ? seen.newest : self.now())
        let reader = self.reader(org: org)
        let alerts = seen.alerts.filter { alert in
            isVisible(alert.labels.site) && site.map { $0 == alert.labels.site } ?? true
        }
        let wantsPast = time != nil
        return { options in
            try rules.map { rule in
                let states =
                    wantsPast
                    ? try rule.states(at: moment, site: site, reader)
                    : alerts.filter { $0.rule == rule.id }.map(\.explained)
                return try RuleExplanation(
                    rule,
                    states: states,
                    site: site,
                    at: moment,
                    reader: reader,
                    options: options
                )
            }
        }
    }

    package func backtest(
        _ order: BacktestOrder,
        org: String?,
        stop: QueryStop,
        progress: @escaping @Sendable (Double) -> Void
    ) async throws -> Backtest.Outcome {
        let problems = ProblemCollector()
        let rules = RuleFileLoader().parse(order.rules, problems: problems)
        try problems.throwIfAny()
        let catalog = self.resolver.catalog
        let isVisible = self.isVisible(to: org)
        for site in order.sites ?? [] { try self.requireSite(site, org: org) }
        let sites = (order.sites ?? org.map { _ in Array(catalog.sites.keys) })?.filter(isVisible)
        let store = self.samples.reader
        let niceness = self.options.isService ? Int32(self.options.queryNiceness) : 0
        return try await onThread("poyang-backtest") {
            yieldToOthers(niceness)
            var backtest = Backtest(rules: rules, store: store) { CatalogReader(base: $0, catalog: catalog) }
            backtest.channels = catalog.watchedChannels
            backtest.sites = sites
            backtest.curvePoints = order.curvePoints
            var outcome = try backtest.run(from: order.from, through: order.through) { share in
                try stop.check()
                progress(share)
            }
            outcome.sites.formUnion(catalog.sites.keys.filter(isVisible))
            return outcome
        }
    }

    /// - Throws: ``APIProblem`` 404 for a site that is neither registered nor has stored series.
    private func requireSite(_ site: String, org: String?) throws {
        let sites = self.resolver.catalog.sites.keys.filter(self.isVisible(to: org))
        if sites.contains(site) { return }
        let stored = try self.reader(org: org)
            .series(matching: [LabelMatcher("site", equals: site)], after: .distantPast, through: .distantFuture)
        guard stored.isEmpty else { return }
        let advice = Spelling.nearest(to: site, among: sites).map { "did you mean '\($0)'?" }
        throw APIProblem.notFound("there is no site '\(site)'; \(advice ?? "`poyang sites list` shows all")")
    }
}

extension AlertRule {
    /// What the history of alerts says about this rule's.
    fileprivate func states(
        at time: Timestamp,
        site: String?,
        _ reader: any SeriesReader
    ) throws -> [RuleExplanation.State] {
        let context = TemplateContext(labels: .empty, value: nil)
        var matchers = [LabelMatcher("alertname", equals: self.name)]
        if let site { matchers.append(LabelMatcher("site", equals: site)) }
        for label in self.labels where label.template.isConstant {
            matchers.append(LabelMatcher(label.name, equals: label.template.render(context)))
        }
        func columns(_ metric: String) throws -> [SeriesColumns] {
            let request = SelectRequest(
                matchers: [LabelMatcher(Labels.metricName, equals: metric)] + matchers,
                extent: .lookback(from: time, through: time)
            )
            // A stale marker says that it ended.
            return try reader.select(request).filter { !($0.values.last ?? .nan).isNaN }
        }
        let begins = try columns(AlertSeriesReader.activeMetric)
        return try columns(AlertSeriesReader.stateMetric)
            .map { columns in
                let labels = columns.labels.removing([Labels.metricName, "alertname", "alertstate"])
                let begin = begins.first {
                    $0.labels.removing([Labels.metricName, "alertname"]) == labels
                }
                return RuleExplanation.State(
                    labels: labels.removing(Site.virtualLabelNames),
                    state: columns.labels["alertstate"],
                    activeAt: (begin?.values.last).map { Timestamp(milliseconds: Int64(($0 * 1000).rounded())) }
                )
            }
            .sorted { $0.labels < $1.labels }
    }
}
