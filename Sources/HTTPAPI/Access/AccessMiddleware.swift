// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import HTTPTypes
import Hummingbird

/// Finds out who is asking, by CONTRACTS' "Access".
///
/// The socket is the admin. Over the network a bearer token decides; without one, reads are open only on a loopback
/// address while no token was ever created. Health, readiness, console assets and the API's description need none.
struct AccessMiddleware: RouterMiddleware {
    let origin: Origin
    /// The access of a token's secret; nil when it is unknown or revoked.
    let authenticate: @Sendable (String) throws -> Access?
    let anyTokenExists: @Sendable () throws -> Bool

    /// What Prometheus's clients send as forms, too.
    private static let queries = Set(
        ["query", "query_range", "query_exemplars", "format_query", "series", "labels"].map { "/api/v1/\($0)" }
    )
    private static let open: Set<String> = ["/-/healthy", "/-/ready", "/", "/openapi.json", "/favicon.ico"]

    @concurrent
    func handle(
        _ request: Request,
        context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.access = try self.access(of: request)
        return try await next(request, context)
    }

    private func access(of request: Request) throws -> Access {
        guard case .network(let isLoopback) = self.origin else {
            return Access(role: .admin, org: nil, name: "socket")
        }
        if let header = request.headers[.authorization] {
            guard header.lowercased().hasPrefix("bearer "),
                let access = try self.authenticate(String(header.dropFirst(7)))
            else { throw APIProblem(.unauthorized, "the token is unknown or revoked; `poyang token create` makes one") }
            return access
        }
        let isRead = request.method == .get || request.method == .head || self.isQuery(request)
        let isOpen = Self.open.contains(request.uri.path) || request.uri.path.hasPrefix("/console/")
        if isRead, isOpen { return Access(role: .viewer, org: "", name: "anonymous") }
        guard isRead, isLoopback, try !self.anyTokenExists() else {
            throw APIProblem(.unauthorized, "this needs a token: send `Authorization: Bearer TOKEN`")
        }
        return Access(role: .viewer, org: nil, name: "anonymous")
    }

    private func isQuery(_ request: Request) -> Bool {
        let path = request.uri.path
        return request.method == .post && Self.queries.contains(path)
    }
}
