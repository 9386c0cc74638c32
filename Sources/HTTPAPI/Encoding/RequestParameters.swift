// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The parameters of a request: from its query string and, for a form that was posted, from its body.
struct RequestParameters {
    private var values: [String: [String]] = [:]

    init(_ request: Request) async throws {
        self.add(request.uri.query ?? "")
        let contentType = request.headers[.contentType] ?? ""
        guard request.method == .post, contentType.hasPrefix("application/x-www-form-urlencoded") else { return }
        let body = try await request.wholeBody()
        self.add(String(buffer: body))
    }

    /// Those of the query string alone, where the body is something else.
    init(query request: Request) {
        self.add(request.uri.query ?? "")
    }

    /// The first value of a parameter; nil where it is absent or empty.
    subscript(name: String) -> String? {
        self.values[name]?.first { !$0.isEmpty }
    }

    /// All values of a parameter, as in `match[]=a&match[]=b`.
    func all(_ name: String) -> [String] {
        self.values[name] ?? []
    }

    /// - Throws: ``APIProblem`` 400 when the parameter is absent.
    func required(_ name: String) throws -> String {
        guard let value = self[name] else { throw APIProblem(.badRequest, "parameter '\(name)' is missing") }
        return value
    }

    /// - Throws: ``APIProblem`` 400 when the parameter is no whole number in `range`.
    func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw APIProblem(
                .badRequest,
                "'\(name)' should be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    func flag(_ name: String) -> Bool {
        ["1", "true", "yes"].contains(self[name] ?? "")
    }

    private mutating func add(_ encoded: String) {
        for pair in encoded.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let texts = parts.map { part in
                let spaced = part.replacingOccurrences(of: "+", with: " ")
                return spaced.removingPercentEncoding ?? spaced
            }
            self.values[texts[0], default: []].append(texts.count > 1 ? texts[1] : "")
        }
    }
}
