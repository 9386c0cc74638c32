// poyang
// SPDX-License-Identifier: Apache-2.0

/// An expression that was made up, with what is known about its value.
struct MadeQuery {
    enum Kind { case scalar, vector, matrix }

    /// What of an answer has to be the same.
    enum Scrutiny {
        case everything
        /// Which of several equal elements `topk` takes is nobody's promise: the values at each time only.
        case values
        /// Of an instant answer, the order of the values too.
        case order
    }

    var text: String
    var kind = Kind.vector
    var parts: [MadeQuery] = []
    /// Whether every correct implementation computes the same bits: stored values, counts and basic arithmetic.
    ///
    /// What is not may differ in the last digit, so that a comparison, `floor` or a division by a small difference would
    /// show another result for it.
    var isExact = true
    var scrutiny = Scrutiny.everything

    /// The same without an order: series of a range come in that of their labels.
    var inAnyOrder: MadeQuery {
        var copy = self
        if copy.scrutiny == .order { copy.scrutiny = .everything }
        return copy
    }

    /// All parts of it, the shortest first, that are queries themselves.
    var allParts: [MadeQuery] {
        self.parts.flatMap { $0.allParts + [$0] }.sorted { $0.text.count < $1.text.count }
    }
}

/// A query and when it is asked.
struct ComparedQuery {
    enum Moment {
        case instant(Int64)
        /// All in milliseconds.
        case range(from: Int64, through: Int64, step: Int64)
    }

    var query: MadeQuery
    var moment: Moment

    var path: String {
        switch self.moment {
        case .instant: "/api/v1/query"
        case .range: "/api/v1/query_range"
        }
    }

    var parameters: [(String, String)] {
        func seconds(_ milliseconds: Int64) -> String {
            let rest = String(milliseconds % 1000)
            return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
        }
        return switch self.moment {
        case .instant(let time): [("query", self.query.text), ("time", seconds(time))]
        case .range(let from, let through, let step):
            [
                ("query", self.query.text), ("start", seconds(from)), ("end", seconds(through)),
                ("step", seconds(step)),
            ]
        }
    }
}

extension ComparedQuery: CustomStringConvertible {
    var description: String {
        let when = self.parameters.dropFirst().map { "\($0)=\($1)" }.joined(separator: " ")
        return "\(self.query.text)  [\(when)]"
    }
}
