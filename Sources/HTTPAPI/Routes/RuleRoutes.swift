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
}
