// poyang
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Answers `HEAD` without a body, refusals too: the client would take it for the next answer.
struct HeadMiddleware: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request,
        context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        return request.method == .head ? response.createHeadResponse() : response
    }
}
