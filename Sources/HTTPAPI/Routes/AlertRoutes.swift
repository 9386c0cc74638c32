// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Dissemination
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry

/// The feed of warnings: what is in force, the history, single messages, CAP, Atom and the stream.
struct AlertRoutes: Sendable {
    let backend: any APIBackend

    /// The longest history that one request reads.
    private static let maximumHistory = 10_000

    func add(to router: Router<APIRequestContext>) {
        router.get("/alerts/active", use: self.active)
        router.get("/alerts", use: self.history)
        router.get("/alerts.atom", use: self.atom)
        router.get("/alerts/stream") { request, context in
            try EventStream(backend: self.backend, org: context.access.org, channel: context.channel)
                .response(to: request)
        }
        router.get("/alerts/{id}.cap") { _, context in
            let message = try self.message(context).message
            return Response(
                status: .ok,
                headers: [.contentType: "application/cap+xml; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: try message.capXML()))
            )
        }
        router.get("/alerts/:id") { request, context in
            let found = try self.message(context)
            return self.geoJSON(try GeoJSON.feature(found, base: request.base))
        }
    }

    @Sendable private func active(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let filter = try self.filter(request, without: [])
        let messages = try self.backend.records.warnings(activeOnly: true)
            .filter { row in context.access.org.map { $0 == row.org } ?? true }
            .compactMap { try $0.warning().latest }
        let page = filter.page(of: messages.map { FeedMessage($0) })
        return try self.collection(page, "Current warnings", "/alerts/active", request)
    }

    @Sendable private func history(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = try await RequestParameters(request)
        let filter = try self.filter(request, without: ["start", "end"])
        func time(_ name: String) throws -> Timestamp? {
            guard let text = parameters[name] else { return nil }
            guard let time = Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes) else {
                throw APIProblem(.badRequest, "'\(name)' should be RFC 3339, such as 2022-06-21T16:00:00+08:00")
            }
            return time
        }
        let rows = try self.backend.records.feed(
            from: try time("start") ?? .distantPast,
            through: try time("end") ?? .distantFuture,
            limit: Self.maximumHistory
        )
        let messages = try self.visible(rows, context)
        let page = filter.page(of: FeedMessage.chain(messages))
        return try self.collection(page, "Warnings", "/alerts", request)
    }

    @Sendable private func atom(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let latest = try self.backend.records.latestFeedSequence()
        let rows = try self.backend.records.feed(after: max(0, latest - 100), limit: 100)
        let messages = try self.visible(rows, context)
        let text = try AtomIndex.document(
            messages.reversed(),
            updated: messages.last?.sent ?? self.backend.now(),
            base: request.base
        )
        return Response(
            status: .ok,
            headers: [.contentType: "application/atom+xml; charset=utf-8", .eTag: "\"\(latest)\""],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    private func visible(_ rows: [FeedRow], _ context: APIRequestContext) throws -> [WarningMessage] {
        try rows.map { try $0.message() }
            .filter { message in
                context.access.org.map { $0 == message.org } ?? true
            }
    }

    private func message(_ context: APIRequestContext) throws -> FeedMessage {
        let id = try context.pathPart("id")
        guard let row = try self.backend.records.feed(identifier: id) else {
            throw APIProblem(.notFound, "there is no message '\(id)'; /alerts shows the history")
        }
        let message = try row.message()
        try context.requireOrg(message.org, of: "message '\(id)'")
        let chain = try self.backend.records.feed(number: message.number).map { try $0.message() }
        return FeedMessage.chain(chain).first { $0.message.identifier == id } ?? FeedMessage(message)
    }

    private func filter(_ request: Request, without own: Set<String>) throws -> AlertFilter {
        let items = URLComponents(string: "?" + (request.uri.query ?? ""))?.queryItems ?? []
        do {
            return try AlertFilter(
                parameters: items.filter { !own.contains($0.name) }.map { (name: $0.name, value: $0.value ?? "") }
            )
        } catch let error as AlertFilterError {
            throw APIProblem(.badRequest, error.description)
        }
    }

    private func collection(
        _ page: (entries: [FeedMessage], next: String?),
        _ title: String,
        _ path: String,
        _ request: Request
    ) throws -> Response {
        let next = page.next.map { cursor in
            let kept = (request.uri.query ?? "").split(separator: "&").filter { !$0.hasPrefix("cursor=") }
            return request.base + path + "?" + (kept + ["cursor=\(cursor)"]).joined(separator: "&")
        }
        let updated = page.entries.map(\.message.sent).max() ?? self.backend.now()
        var response = self.geoJSON(
            try GeoJSON.collection(page.entries, title: title, updated: updated, next: next, base: request.base)
        )
        response.headers[.eTag] = "\"\(try self.backend.records.latestFeedSequence())\""
        return response
    }

    private func geoJSON(_ text: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "application/geo+json", .accessControlAllowOrigin: "*", .cacheControl: "no-cache",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}

extension Request {
    /// What stands before the path in links to ourselves, as the client named us; nothing where it did not.
    var base: String { self.head.authority.map { "http://\($0)" } ?? "" }
}
