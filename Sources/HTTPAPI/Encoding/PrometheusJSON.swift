// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import PromQL
import Telemetry

/// Prometheus's answer, `{"status":"success","data":…}` (Prometheus HTTP API, "Format overview").
struct PrometheusAnswer<Payload: Encodable>: Encodable {
    let status = "success"
    let data: Payload
    var warnings: [String]?

    init(_ data: Payload, warnings: [String] = []) {
        self.data = data
        self.warnings = warnings.isEmpty ? nil : warnings
    }
}

/// Prometheus's error: 400 `bad_data`, 422 `execution`, 503 `timeout`, `canceled` and `unavailable`.
struct PrometheusFailure: Encodable {
    let status = "error"
    let errorType: String
    let error: String

    /// What a route that speaks Prometheus's language says instead of a problem document.
    static func response(to error: any Error) -> Response {
        switch error {
        case let error as PromQLError: self.response(to: error)
        case let refusal as QueryRefusal:
            self.response(.serviceUnavailable, "unavailable", refusal.message, retryAfter: refusal.retryAfter)
        case is CancellationError: self.response(.serviceUnavailable, "canceled", "the query was canceled")
        case let problem as APIProblem:
            self.response(problem.status, "bad_data", problem.detail, retryAfter: problem.retryAfter)
        default: self.response(.internalServerError, "internal", "\(error)")
        }
    }

    private static func response(to error: PromQLError) -> Response {
        switch error.code {
        case .syntax: self.response(.badRequest, "bad_data", "invalid parameter \"query\": \(error)")
        case .matching, .execution, .limit: self.response(.unprocessableContent, "execution", "\(error)")
        case .timeout: self.response(.serviceUnavailable, "timeout", "\(error)")
        case .canceled: self.response(.serviceUnavailable, "canceled", "\(error)")
        case .busy:
            self.response(.serviceUnavailable, "unavailable", "\(error)", retryAfter: QueryRefusal().retryAfter)
        }
    }

    private static func response(
        _ status: HTTPResponse.Status,
        _ type: String,
        _ message: String,
        retryAfter: Int? = nil
    ) -> Response {
        let body = PrometheusFailure(errorType: type, error: message)
        guard var response = try? JSONBody.response(body, status: status, keys: .asDeclared) else {
            return Response(status: status)
        }
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        return response
    }
}

/// Numbers as Prometheus prints and reads them.
enum PrometheusNumber {
    /// The shortest decimal that reads back as the same value, with an exponent below 1e-6 and from 1e21 on; `NaN`,
    /// `+Inf`, `-Inf`.
    static func text(_ value: Double) -> String {
        var text = PrometheusText()
        text.number(value)
        return text.string
    }

    /// Times of the query API: Unix seconds with a fraction, or RFC 3339.
    static func time(_ text: some StringProtocol) -> Timestamp? {
        if let seconds = Double(text), abs(seconds) < 9e12 {
            return Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        }
        return Timestamp(rfc3339: text)
    }

    /// Spans of the query API: seconds with a fraction, or a Prometheus duration; in ms.
    static func span(_ text: some StringProtocol) -> Milliseconds? {
        if let seconds = Double(text), abs(seconds) < 9e12 { return Milliseconds((seconds * 1000).rounded()) }
        return PrometheusDuration.parse(text)
    }
}

extension RequestParameters {
    /// - Throws: ``APIProblem`` 400 when the parameter is no time.
    func time(_ name: String) throws -> Timestamp? {
        guard let text = self[name] else { return nil }
        if let time = PrometheusNumber.time(text) { return time }
        throw APIProblem.badInput("'\(name)' should be Unix seconds or RFC 3339, found: \(text)")
    }

    /// - Throws: ``APIProblem`` 400 when the parameter is no duration above zero.
    func span(_ name: String) throws -> Milliseconds? {
        guard let text = self[name] else { return nil }
        if let span = PrometheusNumber.span(text), span > 0 { return span }
        throw APIProblem.badInput("'\(name)' should be a duration above zero, such as 5m or 300, found: \(text)")
    }
}
