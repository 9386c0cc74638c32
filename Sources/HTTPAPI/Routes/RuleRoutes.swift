// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird

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
    /// Filtered as Prometheus does: groups without any rule that is wanted are left out.
    @Sendable private func rules(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = RequestParameters(query: request)
        let kind = try Self.kind(parameters["type"])
        let names = Set(parameters.all("rule_name[]"))
        let groups = Set(parameters.all("rule_group[]"))
        let files = Set(parameters.all("file[]"))
        let found = try await self.backend.ruleGroups(org: context.access.org)
            .filter { (groups.isEmpty || groups.contains($0.name)) && (files.isEmpty || files.contains($0.file)) }
            .compactMap { group in
                group.keeping(
                    { (kind == nil || $0.kind == kind) && (names.isEmpty || names.contains($0.name)) },
                    withAlerts: !parameters.flag("exclude_alerts")
                )
            }
        return try JSONBody.response(PrometheusAnswer(["groups": found]), keys: .asDeclared)
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
