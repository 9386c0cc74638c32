// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
package import Hummingbird

/// All routes, behind the rules of access.
package enum APIRouter {
    /// The router for one way in; `origin` decides what requests may do without a token.
    package static func make(backend: any APIBackend, origin: Origin) -> Router<APIRequestContext> {
        let router = Router(context: APIRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: HeadMiddleware())
        router.add(middleware: GzipMiddleware(threads: backend.queries.threads))
        router.add(middleware: ProblemMiddleware())
        router.add(
            middleware: AccessMiddleware(
                origin: origin,
                authenticate: { secret in
                    try backend.records.verifyToken(secret: secret)
                        .map { token in
                            let name = token.label.isEmpty ? token.id : "\(token.label) (\(token.id))"
                            return Access(role: token.role, org: token.org, name: name)
                        }
                },
                anyTokenExists: { try backend.records.hasTokens() }
            )
        )
        // Queries have threads of their own.
        QueryRoutes(backend: backend).add(to: router)
        // All others: after this, what is added leaves the connections' thread.
        router.add(middleware: HandlerPool())
        OperationRoutes(backend: backend).add(to: router)
        MaintenanceRoutes(backend: backend).add(to: router)
        RegistryRoutes(backend: backend).add(to: router)
        DeviceWatchRoutes(backend: backend).add(to: router)
        ReadingRoutes(backend: backend).add(to: router)
        QualityRoutes(backend: backend).add(to: router)
        DeviceWorkRoutes(backend: backend).add(to: router)
        CredentialRoutes(backend: backend).add(to: router)
        BulkRoutes(backend: backend).add(to: router)
        RemoteWriteRoutes(backend: backend).add(to: router)
        WarningRoutes(backend: backend).add(to: router)
        AlertRoutes(backend: backend).add(to: router)
        PrometheusRoutes(backend: backend).add(to: router)
        ConsoleRoutes().add(to: router)
        return router
    }
}
