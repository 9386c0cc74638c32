// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PromQL
import Telemetry

/// Completes the query of `poyang query` in a shell: functions and keywords, and what the data have.
///
/// The shell calls it through ArgumentParser (`poyang ---completion query -- …`) with the words of its line as they were
/// typed, quotes included. Where nobody answers within ``limit``, only what needs no data is offered, in silence.
enum QueryCompletion {
    /// How long the shell waits for names at most.
    static let limit = Duration.seconds(2)

    /// Completes the word at the cursor.
    ///
    /// - Parameters:
    ///   - words: The line, word by word.
    ///   - index: Which of the words is completed.
    ///   - prefix: The part of that word before the cursor.
    /// - Returns: What the word may become.
    static func candidates(_ words: [String], _ index: Int, _ prefix: String) async -> [String] {
        let isQuoted = prefix.hasPrefix("'") || prefix.hasPrefix("\"")
        let typed = isQuoted ? String(prefix.dropFirst()) : prefix
        // Inside double quotes the shell has backslashes before quotes; the query has none.
        let text = prefix.hasPrefix("\"") ? typed.replacing("\\\"", with: "\"") : typed
        let cursor = QueryCursor(text)
        let completions = await self.completions(of: cursor, NameSource(words: words))
        return completions.map { self.shellText(cursor.head + $0) }
    }

    /// The words that may stand at the cursor.
    static func completions(of cursor: QueryCursor, _ source: some CompletionSource) async -> [String] {
        switch cursor.place {
        case .operand, .rightOperand:
            let metrics = await source.values(of: Labels.metricName, selector: nil)
            let pairing = cursor.place == .rightOperand ? ["bool", "ignoring", "on"] + self.fills : []
            return self.matching(cursor.prefix, metrics + self.functions + pairing)
        case .afterOperand: return self.matching(cursor.prefix, self.keywords)
        case .labelName(let selector):
            let names = await source.labelNames(selector: selector)
            return self.matching(cursor.prefix, names.filter { $0 != Labels.metricName })
        case .grouping(let selector):
            var names = await source.labelNames(selector: selector)
            if names.isEmpty { names = await source.labelNames(selector: nil) }
            return self.matching(cursor.prefix, names.filter { $0 != Labels.metricName })
        case .labelValue(let label, let selector, let quote):
            let values = await source.values(of: label, selector: selector)
            let mark = quote ?? "\""
            let quoted = values.map { (quote == nil ? String(mark) : "") + self.escaped($0, mark) + String(mark) }
            return self.matching(cursor.prefix, quoted)
        case .nothing: return []
        }
    }

    private static func matching(_ prefix: String, _ words: [String]) -> [String] {
        var seen: Set<String> = []
        return words.filter { $0.hasPrefix(prefix) && seen.insert($0).inserted }
    }

    private static let functions: [String] =
        (AggregationOperator.allCases.map(\.rawValue) + Function.allCases.map(\.rawValue)).sorted().map { $0 + "(" }

    private static let fills = ["fill(", "fill_left(", "fill_right("]
    private static let keywords =
        ["anchored", "and", "atan2", "bool", "by"] + fills
        + ["group_left", "group_right", "ignoring", "offset", "on", "or", "smoothed", "unless", "without"]

    private static func escaped(_ value: String, _ quote: Character) -> String {
        guard quote != "`" else { return value }
        return value.replacing("\\", with: "\\\\").replacing(String(quote), with: "\\\(quote)")
            .replacing("\n", with: "\\n")
    }

    /// One candidate is one line; zsh takes what follows a colon for a description.
    private static func shellText(_ text: String) -> String {
        let line = text.replacing("\n", with: " ")
        return CompletionShell.requesting == .zsh ? line.replacing(":", with: "\\:") : line
    }
}

/// Who knows the names and values of labels.
protocol CompletionSource: Sendable {
    /// The names of the labels of the series that a selector finds, or of all series.
    func labelNames(selector: String?) async -> [String]
    func values(of label: String, selector: String?) async -> [String]
}
