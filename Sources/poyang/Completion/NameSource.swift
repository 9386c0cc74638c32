// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Names and values from the service or data directory that the words of a command line mean.
///
/// Whatever goes wrong, and whatever takes too long, is an empty answer: a shell that completes must not complain.
struct NameSource: CompletionSource {
    private let arguments: [String]

    /// - Parameter words: As the shell has them, quotes included.
    init(words: [String]) {
        var arguments: [String] = []
        let names = ["--data", "--url", "--token", "--devices", "--rules"]
        for (index, word) in words.enumerated() {
            if names.contains(word), index + 1 < words.count {
                arguments += [word, Self.unquoted(words[index + 1])]
            } else if let name = names.first(where: { word.hasPrefix($0 + "=") }) {
                arguments += [name, Self.unquoted(String(word.dropFirst(name.count + 1)))]
            }
        }
        self.arguments = arguments
    }

    func labelNames(selector: String?) async -> [String] {
        await self.ask("/api/v1/labels", selector)
    }

    func values(of label: String, selector: String?) async -> [String] {
        await self.ask("/api/v1/label/\(APIClient.component(label))/values", selector)
    }

    private func ask(_ path: String, _ selector: String?) async -> [String] {
        let arguments = self.arguments
        let answer = await withLimit(QueryCompletion.limit) {
            let connection = try ConnectionOptions.parse(arguments)
            return try await connection.withClient(quietly: true) { client in
                try await client.get(path, query: [("match[]", selector), ("limit", "10000")])
            }
        }
        return answer?["data"].elements.compactMap(\.string) ?? []
    }

    /// Without the quotes of a shell around it.
    private static func unquoted(_ word: String) -> String {
        guard let quote = word.first, quote == "'" || quote == "\"", word.count > 1, word.last == quote else {
            return word
        }
        return String(word.dropFirst().dropLast())
    }
}

/// What `body` gives, or nil when it throws or takes longer; then it goes on, and ends with the process.
private func withLimit<Result: Sendable>(
    _ limit: Duration,
    _ body: @escaping @Sendable () async throws -> Result
) async -> Result? {
    let (results, sink) = AsyncStream<Result?>.makeStream()
    Task.detached {
        do { sink.yield(try await body()) } catch { sink.yield(nil) }
    }
    Task.detached {
        do { try await Task.sleep(for: limit) } catch { return }
        sink.yield(nil)
    }
    for await result in results { return result }
    return nil
}
