// poyang
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Speaks the service's HTTP interface, over TCP or over the data directory's Unix socket.
///
/// Answers are JSON unless a call says otherwise. A refusal (`application/problem+json`, RFC 9457) and a service that
/// cannot be reached are thrown as ``CommandFailure`` with what to do.
struct APIClient: Sendable {
    /// `http://host:port` or `http+unix://<percent-encoded socket path>`, without a slash at its end.
    private let base: String
    private let token: String?
    /// How the service is called in messages.
    private let name: String

    /// - Throws: ``CommandFailure`` when the text is no http(s) URL.
    init(url: String, token: String?) throws {
        guard let parsed = URL(string: url), let scheme = parsed.scheme, ["http", "https"].contains(scheme),
            parsed.host() != nil
        else { throw CommandFailure("--url '\(url)' is no URL of a service; give http://HOST:PORT") }
        self.base = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.token = token
        self.name = self.base
    }

    init(socket path: String) {
        let absolute = URL(fileURLWithPath: path).path
        let encoded = absolute.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? absolute
        self.base = "http+unix://\(encoded)"
        self.token = nil
        self.name = path
    }

    func get(_ path: String, query: [(String, String?)] = []) async throws -> JSONValue {
        try JSONValue.parse(try await self.getBytes(path, query: query))
    }

    /// The body as it is, for what is not JSON (CAP).
    func getBytes(_ path: String, query: [(String, String?)] = []) async throws -> Data {
        try await self.send(self.request(.GET, path, query: query))
    }

    /// Posts `body` as it is, with `type` as its media type; no body when `nil`.
    func post(
        _ path: String,
        query: [(String, String?)] = [],
        body: Data? = nil,
        type: String = "application/json"
    ) async throws -> JSONValue {
        var request = self.request(.POST, path, query: query)
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        return try JSONValue.parse(try await self.send(request))
    }

    /// Posts a JSON object with the members that are not null.
    func post(_ path: String, members: [(String, JSONValue)]) async throws -> JSONValue {
        let given = members.filter { !$0.1.isNull }.map { (key: $0.0, value: $0.1) }
        return try await self.post(path, body: Data(JSONValue.objectText(given).utf8))
    }

    /// Sends a query as a form, so that its length does not matter.
    func postForm(_ path: String, _ fields: [(String, String?)]) async throws -> JSONValue {
        let body = Data(APIClient.encoded(fields).utf8)
        return try await self.post(path, body: body, type: "application/x-www-form-urlencoded")
    }

    func delete(_ path: String) async throws {
        _ = try await self.send(self.request(.DELETE, path, query: []))
    }

    /// Deletes something of which an answer tells.
    func delete(_ path: String, query: [(String, String?)]) async throws -> JSONValue {
        try JSONValue.parse(try await self.send(self.request(.DELETE, path, query: query)))
    }

    /// Opens a Server-Sent Events stream and hands on its events until it ends or `handle` throws.
    func events(
        _ path: String,
        query: [(String, String?)],
        handle: (ServerSentEvent) async throws -> Void
    ) async throws {
        var request = self.request(.GET, path, query: query)
        request.headers.replaceOrAdd(name: "Accept", value: "text/event-stream")
        let response = try await self.execute(request, deadline: .distantFuture)
        guard (200..<300).contains(response.status.code) else { throw try await self.failure(of: response) }
        var parser = ServerSentEventParser()
        do {
            for try await chunk in response.body {
                for event in parser.push(chunk.readableBytesView) { try await handle(event) }
            }
        } catch let error as HTTPClientError {
            throw StreamInterrupted(reason: error.shortDescription)
        }
    }

    /// Hands on the body piece by piece, as it comes.
    func stream(
        _ path: String,
        query: [(String, String?)],
        handle: (_ bytes: [UInt8]) async throws -> Void
    ) async throws {
        let response = try await self.execute(self.request(.GET, path, query: query), deadline: .distantFuture)
        guard (200..<300).contains(response.status.code) else { throw try await self.failure(of: response) }
        do {
            for try await piece in response.body { try await handle(Array(piece.readableBytesView)) }
        } catch let error as HTTPClientError {
            throw CommandFailure("\(self.name) broke off (\(error.shortDescription)); its log says why")
        }
    }

    /// Asks for long work, whose answer is JSON lines: shares that are done, and at the end a report.
    ///
    /// - Throws: ``CommandFailure`` also for what the service says at the end instead of a report.
    func work(
        _ method: HTTPMethod,
        _ path: String,
        members: [(String, JSONValue)] = [],
        progress: (Double) -> Void
    ) async throws -> JSONValue {
        var request = self.request(method, path, query: [])
        if !members.isEmpty {
            request.headers.add(name: "Content-Type", value: "application/json")
            let text = JSONValue.objectText(members.map { (key: $0.0, value: $0.1) })
            request.body = .bytes(ByteBuffer(string: text))
        }
        let response = try await self.execute(request, deadline: .distantFuture)
        guard (200..<300).contains(response.status.code) else { throw try await self.failure(of: response) }
        var text: [UInt8] = []
        for try await chunk in response.body {
            text += chunk.readableBytesView
            while let end = text.firstIndex(of: UInt8(ascii: "\n")) {
                let line = try JSONValue.parse(Data(text[..<end]))
                text.removeSubrange(...end)
                if let share = line["progress"].double { progress(share) }
                if let error = line["error"].string { throw CommandFailure(error) }
                if !line["report"].isNull { return line["report"] }
            }
        }
        throw CommandFailure("\(self.name) ended before the work was done; look at the service's log")
    }

    // MARK: -

    private func request(_ method: HTTPMethod, _ path: String, query: [(String, String?)]) -> HTTPClientRequest {
        let fields = APIClient.encoded(query)
        var request = HTTPClientRequest(url: self.base + path + (fields.isEmpty ? "" : "?" + fields))
        request.method = method
        request.headers.add(name: "Accept", value: "application/json")
        // The shared client gives up an answer that unpacks to more than 25 times its size, as long tables do.
        request.headers.add(name: "Accept-Encoding", value: "identity")
        if let token = self.token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        return request
    }

    private func send(_ request: HTTPClientRequest) async throws -> Data {
        let response = try await self.execute(request, deadline: .now() + .minutes(10))
        guard (200..<300).contains(response.status.code) else { throw try await self.failure(of: response) }
        return Data(try await response.body.collect(upTo: 1 << 30).readableBytesView)
    }

    private func execute(_ request: HTTPClientRequest, deadline: NIODeadline) async throws -> HTTPClientResponse {
        do {
            return try await HTTPClient.shared.execute(request, deadline: deadline)
        } catch let error as HTTPClientError {
            throw CommandFailure("\(self.name) does not answer (\(error.shortDescription)); is 'poyang serve' running?")
        } catch let error as IOError {
            let reason = String(cString: strerror(error.errnoCode))
            throw CommandFailure("cannot reach \(self.name): \(reason); is 'poyang serve' running there?")
        } catch {
            throw CommandFailure("cannot reach \(self.name): \(error); is 'poyang serve' running there?")
        }
    }

    private func failure(of response: HTTPClientResponse) async throws -> CommandFailure {
        let body = Data(try await response.body.collect(upTo: 1 << 20).readableBytesView)
        let problem = (try? JSONDecoder().decode(JSONValue.self, from: body)) ?? .null
        // Prometheus's own form, as its query interface answers errors.
        if let text = problem["error"].string { return CommandFailure(text) }
        var message = problem["title"].string ?? "the service answered \(response.status)"
        let detail =
            Terminal.isChinese ? problem["detail_zh"].string ?? problem["detail"].string : problem["detail"].string
        if let detail { message += ": \(detail)" }
        for line in problem["problems"].elements { message += "\n  \(line.cellText)" }
        if response.status == .unauthorized { message += " (give --token T or POYANG_TOKEN; 'poyang token create')" }
        return CommandFailure(message)
    }

    /// `application/x-www-form-urlencoded`; fields without a value are left out.
    static func encoded(_ fields: [(String, String?)]) -> String {
        fields.compactMap { name, value in
            value.map { "\(APIClient.component(name))=\(APIClient.component($0))" }
        }
        .joined(separator: "&")
    }

    /// One segment of a path or one value of a query, percent-encoded.
    static func component(_ text: String) -> String {
        var allowed = CharacterSet(charactersIn: "-._~")
        allowed.formUnion(CharacterSet(charactersIn: "0"..."9"))
        allowed.formUnion(CharacterSet(charactersIn: "A"..."Z"))
        allowed.formUnion(CharacterSet(charactersIn: "a"..."z"))
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}

/// A stream that broke off after it had begun; asking again from the last event loses nothing.
struct StreamInterrupted: Error {
    let reason: String
}
