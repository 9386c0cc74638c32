// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import HTTPTypes
import Hummingbird
import PromQL
import Telemetry

/// What Prometheus's clients ask beside queries: alerts, rules, and who is there (Prometheus HTTP API, "Alerts", "Rules",
/// "Status").
struct RuleRoutes: Sendable {
    let backend: any APIBackend

    func add(to group: RouterGroup<APIRequestContext>) {
        group.get("/alerts") { _, context in
            try JSONBody.response(
                PrometheusAnswer(["alerts": try await self.backend.alertReports(org: context.access.org)]),
                keys: .asDeclared
            )
        }
        group.get("/rules", use: self.rules)
        group.get("/rules/explain", use: self.explain)
        group.post("/rules/backtest", use: self.backtest)
        group.get("/status/buildinfo") { _, _ in
            try JSONBody.response(PrometheusAnswer(["version": "3.0.0", "application": "poyang"]), keys: .asDeclared)
        }
        for method in [HTTPRequest.Method.get, .post] {
            // Grafana asks for them; we keep none.
            group.on("/query_exemplars", method: method) { _, _ in
                try JSONBody.response(PrometheusAnswer([String]()), keys: .asDeclared)
            }
        }
    }

    /// Ours: why a rule fires or does not.
    @Sendable private func explain(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = RequestParameters(query: request)
        let subject = try await self.backend.explanation(
            of: try parameters.required("alert"),
            site: parameters["site"],
            at: try parameters.time("time"),
            org: context.access.org
        )
        let queries = self.backend.queries
        let (explanations, _) = try await queries.evaluate(context, within: nil) { stop in
            let options = EvaluationOptions(limits: queries.limits, pool: queries.pool, stop: stop)
            return try subject(options)
        }
        return try JSONBody.response(PrometheusAnswer(["rules": explanations]), keys: .asDeclared)
    }

    /// What is played, and by which rules.
    private struct Wanted: Decodable {
        let rules: [RuleFileText]
        /// In ms since 1970.
        let from: Timestamp
        let to: Timestamp
        let sites: [String]?
        let curvePoints: Int?
    }

    /// Ours: plays stored history through rules that come with the request; long work.
    @Sendable private func backtest(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.administer)
        let wanted = try await JSONBody.decode(Wanted.self, from: request)
        guard wanted.from <= wanted.to else { throw APIProblem.badInput("'to' is before 'from'") }
        let order = BacktestOrder(
            rules: wanted.rules,
            from: wanted.from,
            through: wanted.to,
            sites: wanted.sites,
            curvePoints: min(max(wanted.curvePoints ?? 0, 0), 1000)
        )
        let org = context.access.org
        let stop = QueryStop()
        return WorkLines.response(keys: .asDeclared) { progress in
            try await ConnectionWatch.during(context.channel, onClose: { stop.stop(.canceled) }) {
                try await self.backend.backtest(order, org: org, stop: stop, progress: progress)
            }
        }
    }

    /// Filtered as Prometheus does: groups without any rule that is wanted are left out.
    @Sendable private func rules(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = RequestParameters(query: request)
        let kind = try Self.kind(parameters["type"])
        let names = Set(parameters.all("rule_name[]"))
        let groups = Set(parameters.all("rule_group[]"))
        let files = Set(parameters.all("file[]"))
        let matchers = try parameters.matcherLists
        let limit = try parameters.integer("group_limit", in: 1...Int(Int32.max))
        let start = parameters["group_next_token"]
        if start != nil, limit == nil { throw APIProblem.badInput("'group_next_token' goes with 'group_limit'") }
        var all = try await self.backend.ruleGroups(org: context.access.org)[...]
        if let start {
            all = all.drop { $0.token != start }
            if all.isEmpty {
                throw APIProblem.badInput(
                    "'group_next_token' \(start) is of no group; begin again: rules may have changed"
                )
            }
        }
        let found =
            all.filter {
                (groups.isEmpty || groups.contains($0.name)) && (files.isEmpty || files.contains($0.file))
            }
            .compactMap { group in
                group.keeping(
                    { rule in
                        (kind == nil || rule.kind == kind) && (names.isEmpty || names.contains(rule.name))
                            && (matchers.isEmpty || matchers.contains(where: rule.hasLabels))
                    },
                    withAlerts: !parameters.flag("exclude_alerts")
                )
            }
        let shown = found.prefix(limit ?? .max)
        let page = GroupPage(groups: Array(shown), groupNextToken: found.dropFirst(shown.count).first?.token)
        return try JSONBody.response(PrometheusAnswer(page), keys: .asDeclared)
    }

    /// Some of the groups, and where the next page begins.
    private struct GroupPage: Encodable {
        let groups: [RuleGroupReport]
        let groupNextToken: String?
    }

    private static func kind(_ text: String?) throws -> RuleReport.Kind? {
        switch text {
        case nil: return nil
        case "alert": return .alerting
        case "record": return .recording
        case let text?: throw APIProblem.badInput("'type' should be alert or record, found: \(text)")
        }
    }
}
