// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry

/// JSON in and out of requests, the same settings everywhere.
enum JSONBody {
    /// How the names of Swift properties are written.
    enum Keys {
        /// `lastSeen` becomes `last_seen`: our own API.
        case snakeCase
        /// As they are: the shapes of others.
        case asDeclared
    }

    static func data(_ value: some Encodable, keys: Keys = .snakeCase) throws -> Data {
        let encoder = JSONEncoder()
        switch keys {
        case .snakeCase: encoder.keyEncodingStrategy = .convertToSnakeCase
        case .asDeclared: encoder.keyEncodingStrategy = .useDefaultKeys
        }
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A sample may be none of the numbers that JSON has; it is written as Prometheus writes it.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "+Inf",
            negativeInfinity: "-Inf",
            nan: "NaN"
        )
        return try encoder.encode(value)
    }

    static func response(
        _ value: some Encodable,
        status: HTTPResponse.Status = .ok,
        keys: Keys = .snakeCase,
        contentType: String = "application/json"
    ) throws -> Response {
        self.response(try self.data(value, keys: keys), status: status, contentType: contentType)
    }

    static func response(_ data: Data, status: HTTPResponse.Status = .ok, contentType: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: contentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data))
        )
    }

    /// Bytes of a body of JSON.
    static let maximum = 1 << 20

    /// Reads a request's body as JSON.
    ///
    /// - Throws: ``APIProblem`` 400 that names the field at fault.
    static func decode<Value: Decodable>(_ type: Value.Type, from request: Request) async throws -> Value {
        let buffer = try await request.wholeBody()
        do {
            return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
        } catch let error as DecodingError {
            throw APIProblem(.badRequest, "the body does not fit: \(self.explain(error))")
        } catch {
            throw APIProblem(.badRequest, "the body is not JSON: \(error)")
        }
    }

    /// A moment in a body: RFC 3339; +08:00 where it names no zone.
    ///
    /// - Throws: ``APIProblem`` 400 that names the field.
    static func moment(_ text: String, of field: String) throws -> Timestamp {
        if let moment = Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes) { return moment }
        throw APIProblem(
            .badRequest,
            "'\(field)' is '\(text)'; it should be RFC 3339, such as 2026-07-08T08:00:00+08:00",
            zh: "\(field) 为“\(text)”；应按 RFC 3339 书写，如 2026-07-08T08:00:00+08:00"
        )
    }

    private static func explain(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, _): return "'\(key.stringValue)' is missing"
        case .typeMismatch(let type, let context): return "'\(path(context))' should be a \(type)"
        case .valueNotFound(let type, let context): return "'\(path(context))' is null and should be a \(type)"
        case .dataCorrupted(let context): return context.debugDescription
        @unknown default: return "\(error)"
        }
    }
}

extension Request {
    /// - Throws: ``APIProblem`` 415 for a compressed body.
    func requirePlainBody() throws {
        guard let coding = self.headers[.contentEncoding], coding.lowercased() != "identity" else { return }
        throw APIProblem(
            .unsupportedMediaType,
            "the body comes with Content-Encoding '\(coding)'; send it as it is",
            zh: "请求体的 Content-Encoding 为“\(coding)”；请不要压缩"
        )
    }

    /// The whole body.
    ///
    /// - Throws: ``APIProblem`` 413 with the limit where it is longer, 415 where it is compressed.
    func wholeBody(upTo limit: Int = JSONBody.maximum) async throws -> ByteBuffer {
        try self.requirePlainBody()
        do {
            return try await self.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw APIProblem(
                .contentTooLarge,
                "the body is longer than \(limit) bytes; send it in several requests",
                zh: "请求体超过 \(limit) 字节；请分多次发送"
            )
        }
    }
}
