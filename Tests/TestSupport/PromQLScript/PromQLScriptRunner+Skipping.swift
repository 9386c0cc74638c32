// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry

/// What conformance/README.md allows to leave out.
extension PromQLScriptRunner {
    /// Why an evaluation that failed does not count; nil where it does.
    func reasonToSkip(_ evaluation: PromQLScript.Evaluation) -> String? {
        let words = QueryWords(evaluation.query)
        if let name = Self.experimentalFunctions.first(where: words.calls) { return "experimental: \(name)" }
        if let name = Self.histogramFunctions.first(where: words.calls) { return "native histograms: \(name)" }
        if evaluation.hasHistogram { return "native histograms" }
        if self.reads(self.histogramSeries, evaluation.query, words) { return "native histograms" }
        return self.reads(self.startTimestampSeries, evaluation.query, words)
            ? "experimental: start timestamps" : nil
    }

    private func reads(_ series: Set<Labels>, _ text: String, _ words: QueryWords) -> Bool {
        guard let query = try? Query(parsing: text) else { return series.contains { words.contains($0.metric) } }
        return query.selectors.contains { selector in
            series.contains { labels in selector.matchers.allSatisfy { $0.matches(labels) } }
        }
    }

    private static let experimentalFunctions = ["info", "start_timestamp"]

    private static let histogramFunctions = [
        "histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar",
    ]
}

/// The words and brackets of a query, its texts and comments left out.
private struct QueryWords {
    /// Names, numbers, and every other character by itself.
    private let pieces: [Substring]

    init(_ query: String) {
        var pieces: [Substring] = []
        var rest = query[...]
        while let first = rest.first {
            if first == "#" {
                rest = rest.drop { !$0.isNewline }
            } else if "\"'`".contains(first) {
                rest = rest.dropFirst()
                while let next = rest.first, next != first {
                    rest = rest.dropFirst(next == "\\" && first != "`" ? 2 : 1)
                }
                rest = rest.dropFirst()
            } else if Self.isWord(first) {
                let word = rest.prefix(while: Self.isWord)
                pieces.append(word)
                rest = rest.dropFirst(word.count)
            } else {
                if !first.isWhitespace { pieces.append(rest.prefix(1)) }
                rest = rest.dropFirst()
            }
        }
        self.pieces = pieces
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == ":" || character == "."
    }

    func contains(_ word: String) -> Bool { self.pieces.contains { $0 == word } }

    /// Whether it is called as a function or aggregation; `@ start()` is none.
    func calls(_ name: String) -> Bool {
        let openers: Set<Substring> = ["(", "by", "without"]
        return self.pieces.indices.contains { index in
            self.pieces[index].lowercased() == name && index + 1 < self.pieces.count
                && openers.contains(self.pieces[index + 1])
                && (index == 0 || self.pieces[index - 1] != "@")
        }
    }
}
