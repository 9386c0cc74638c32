// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What came back for a request.
struct HTTPAnswer {
    let status: Int
    let contentType: String
    let text: String

    /// Asks the server at an address.
    static func of(
        _ server: String,
        _ path: String,
        _ parameters: [(String, String)],
        method: String = "GET",
        token: String? = nil
    ) async throws -> HTTPAnswer {
        let form =
            parameters.map { name, value in
                let pair = [name, value].map { $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "" }
                return pair.joined(separator: "=")
            }
            .joined(separator: "&")
        let isForm = method == "POST"
        let address = server + path + (isForm || form.isEmpty ? "" : "?" + form)
        var request = URLRequest(url: try #require(URL(string: address)))
        request.httpMethod = method
        if isForm {
            request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
            request.httpBody = Data(form.utf8)
        }
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (body, response) = try await URLSession.shared.data(for: request)
        let answer = try #require(response as? HTTPURLResponse)
        return HTTPAnswer(
            status: answer.statusCode,
            contentType: answer.value(forHTTPHeaderField: "Content-Type") ?? "",
            text: String(decoding: body, as: UTF8.self)
        )
    }

    func json() throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(self.text.utf8)) as? [String: Any]
        return try #require(object, "\(self.text)")
    }

    /// `data` of Prometheus's answer, with sorted keys and without spaces; the whole answer where there is none.
    var data: String {
        guard let object = try? self.json(), object["status"] as? String == "success", let data = object["data"],
            let text = try? JSONSerialization.data(
                withJSONObject: data,
                options: [.sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed]
            )
        else { return "\(self.status) \(self.text)" }
        return String(decoding: text, as: UTF8.self)
    }
}

extension RunningService {
    /// Imports a file and starts a service, without sites and rules of its own unless `arguments` name some.
    static func start(importing text: String, _ format: String, in folder: URL) async throws -> RunningService {
        let file = folder.appendingPathComponent("import.\(format)")
        try Data(text.utf8).write(to: file)
        return try await self.start(importing: file, format, in: folder)
    }

    static func start(importing file: URL, _ format: String, in folder: URL) async throws -> RunningService {
        let none = folder.appendingPathComponent("none")
        try FileManager.default.createDirectory(at: none, withIntermediateDirectories: true)
        let arguments = [
            "--data", folder.appendingPathComponent("poyang").path, "--devices", none.path, "--rules", none.path,
        ]
        let run = try await PoyangProcess.run(["import", "--format", format, file.path] + arguments)
        try #require(run.status == 0, "\(run.errors)")
        return try await self.start(["--embedded-broker"] + arguments)
    }

    /// Asks with parameters, in the query string or, for a POST, as a form.
    func ask(
        _ path: String,
        _ parameters: KeyValuePairs<String, String> = [:],
        method: String = "GET",
        token: String? = nil
    ) async throws -> HTTPAnswer {
        try await HTTPAnswer.of(
            self.url,
            path,
            parameters.map { ($0.key, $0.value) },
            method: method,
            token: token
        )
    }
}
