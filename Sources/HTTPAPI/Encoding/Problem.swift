// poyang
// SPDX-License-Identifier: Apache-2.0

package import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import PromQL

/// A refused request, answered as RFC 9457 `application/problem+json`.
package struct APIProblem: Error, HTTPResponseError, Sendable, CustomStringConvertible {
    package let status: HTTPResponse.Status
    /// What went wrong and what to do about it.
    package let detail: String
    /// The same in Chinese, where there is such a text; the member `detail_zh`.
    package let detailZh: String?
    /// Seconds after which the same request may succeed; the header `Retry-After`.
    package let retryAfter: Int?

    package init(_ status: HTTPResponse.Status, _ detail: String, zh: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.detail = detail
        self.detailZh = zh
        self.retryAfter = retryAfter
    }

    package static func notFound(_ detail: String, zh: String? = nil) -> APIProblem {
        APIProblem(.notFound, detail, zh: zh)
    }
    package static func forbidden(_ detail: String, zh: String? = nil) -> APIProblem {
        APIProblem(.forbidden, detail, zh: zh)
    }
    package static func conflict(_ detail: String, zh: String? = nil) -> APIProblem {
        APIProblem(.conflict, detail, zh: zh)
    }
    package static func badInput(_ detail: String, zh: String? = nil) -> APIProblem {
        APIProblem(.badRequest, detail, zh: zh)
    }
    /// Nothing can be done now; the same request may succeed in a few seconds.
    package static func unavailable(_ detail: String, zh: String? = nil) -> APIProblem {
        APIProblem(.serviceUnavailable, detail, zh: zh, retryAfter: 5)
    }
    package static func unprocessable(_ detail: String, zh: String? = nil) -> APIProblem {
        APIProblem(.unprocessableContent, detail, zh: zh)
    }

    /// There is no place among the queries.
    init(_ refusal: QueryRefusal) {
        self.init(
            .serviceUnavailable,
            refusal.message,
            zh: "同时进行的查询过多，请稍后重试",
            retryAfter: refusal.retryAfter
        )
    }

    /// Work on the query threads was ended.
    static let stopped = APIProblem(
        .serviceUnavailable,
        "this took longer than a query may; ask for fewer series or a shorter time",
        zh: "用时超过单次查询的上限；请减少序列或缩短时段"
    )

    package var description: String { "\(self.status.code) \(self.status.reasonPhrase): \(self.detail)" }

    package func response(from request: Request, context: some RequestContext) throws -> Response {
        let body = Body(
            type: "about:blank",
            title: self.status.reasonPhrase,
            status: self.status.code,
            detail: self.detail,
            detailZh: self.detailZh,
            instance: request.uri.path
        )
        var response = try JSONBody.response(body, status: self.status, contentType: "application/problem+json")
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        if self.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"poyang\"" }
        return response
    }

    private struct Body: Encodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let detailZh: String?
        let instance: String
    }
}

extension Error {
    /// Whether the request broke off or was none: where anybody still listens, the connection answers with 400, and ends.
    var isOfConnection: Bool { self is HTTPParserError || self is IOError || self is ChannelError }
}

/// Turns every error of a route into a problem document, so that no error leaves as an empty 500.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as APIProblem {
            return try problem.response(from: request, context: context)
        } catch  where error.isOfConnection {
            throw error
        } catch let error as HTTPError {
            return try APIProblem(error.status, error.body ?? "\(request.method) \(request.uri.path) is not served")
                .response(from: request, context: context)
        } catch let refusal as QueryRefusal {
            return try APIProblem(refusal).response(from: request, context: context)
        } catch let error as PromQLError where [.timeout, .canceled].contains(error.code) {
            return try APIProblem.stopped.response(from: request, context: context)
        } catch {
            context.logger.error("a request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return try APIProblem(.internalServerError, "\(error)").response(from: request, context: context)
        }
    }
}
