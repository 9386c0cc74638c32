// poyang
// SPDX-License-Identifier: Apache-2.0

/// One thing that is wrong in a file, and where.
package struct Problem: Hashable, Sendable, CustomStringConvertible {
    package let file: String
    /// From 1; 0 where the file as a whole is meant.
    package let line: Int
    /// From 1; 0 where the file as a whole is meant.
    package let column: Int
    /// What is wrong and what would be right.
    package let message: String
    /// The same in Chinese, where there is such a text.
    package let messageZh: String?

    package init(file: String, line: Int, column: Int, message: String, zh: String? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.messageZh = zh
    }

    /// The form `file:line:column: message`.
    package var description: String { self.text(inChinese: false) }

    /// The same with the message in Chinese, where there is one.
    package func text(inChinese isChinese: Bool) -> String {
        let message = isChinese ? self.messageZh ?? self.message : self.message
        return self.line == 0 ? "\(self.file): \(message)" : "\(self.file):\(self.line):\(self.column): \(message)"
    }
}

/// Everything that is wrong in the files that were read: all problems, not the first.
package struct ProblemList: Error, Sendable, CustomStringConvertible {
    package let problems: [Problem]

    package init(_ problems: [Problem]) {
        self.problems = problems.sorted {
            ($0.file, $0.line, $0.column, $0.message) < ($1.file, $1.line, $1.column, $1.message)
        }
    }

    /// One problem a line.
    package var description: String { self.text(inChinese: false) }

    package func text(inChinese isChinese: Bool) -> String {
        self.problems.map { $0.text(inChinese: isChinese) }.joined(separator: "\n")
    }
}

/// Collects problems while files are read, so that all of them are reported at once.
package final class ProblemCollector {
    package private(set) var problems: [Problem] = []

    package init() {}

    package func report(_ problem: Problem) {
        self.problems.append(problem)
    }

    /// - Throws: ``ProblemList`` when anything was reported.
    package func throwIfAny() throws {
        guard self.problems.isEmpty else { throw ProblemList(self.problems) }
    }
}
