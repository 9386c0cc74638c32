// poyang
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Runs handlers, and bodies that are made while they are sent, on Swift's own threads.
///
/// Connections share one thread, on which requests are read, and on which a handler that waits for a disk would hold up all
/// others. Only handlers that give their work to the query threads stay there: a short query is answered twice as quickly.
struct HandlerPool: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request,
        context: APIRequestContext,
        next: @concurrent (Request, APIRequestContext) async throws -> Response
    ) async throws -> Response {
        var response = try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await next(request, context)
        }
        let body = response.body
        if body.contentLength == nil {
            response.body = ResponseBody { writer in
                try await withTaskExecutorPreference(globalConcurrentExecutor) { [writer] in
                    try await body.write(writer)
                }
            }
        }
        return response
    }
}
