// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Why a template could not be read.
package struct TemplateError: Error, Hashable, Sendable {
    /// What is wrong and what would be right.
    package let message: String
    /// Bytes of UTF-8 from the beginning of the text.
    package let offset: Int
}

/// A text with actions in double braces, the part of Prometheus's template language that warnings need.
///
/// An action is a pipeline: `{{ $value | printf "%.2f" }}`. It may name `$labels.x`, `$value`, `$threshold`, `$level`
/// and `$externalLabels.x` (also `.Labels.x`, `.Value`), texts, numbers, and call `humanize`, `humanizePercentage`,
/// `humanizeDuration`, `printf`, `toUpper`, `toLower`. What has no value renders as nothing; whether that leaves a hole,
/// ``isComplete(in:)`` tells.
package struct Template: Sendable {
    enum Operand: Sendable {
        case label(String)
        case externalLabel(String)
        case value
        case threshold
        case level
        case text(String)
        case number(Double)
    }

    enum Function: String, Sendable, CaseIterable {
        case humanize
        case humanizePercentage
        case humanizeDuration
        case printf
        case toUpper
        case toLower
    }

    struct Stage: Sendable {
        var function: Function?
        var operands: [Operand]
    }

    enum Piece: Sendable {
        case text(String)
        case pipeline([Stage])
    }

    private(set) var pieces: [Piece] = []

    /// Whether it renders the same text always.
    package var isConstant: Bool {
        self.pieces.allSatisfy {
            switch $0 {
            case .text: true
            case .pipeline: false
            }
        }
    }

    package init(parsing source: String) throws(TemplateError) {
        var rest = Substring(source)
        while let open = rest.firstRange(of: "{{") {
            var before = rest[..<open.lowerBound]
            let offset = source.utf8.distance(from: source.startIndex, to: open.lowerBound)
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else {
                throw TemplateError(message: "'{{' is not closed by '}}'", offset: offset)
            }
            var body = rest[open.upperBound..<close.lowerBound]
            rest = rest[close.upperBound...]
            if body.hasPrefix("- ") {
                body = body.dropFirst(1)
                while before.last?.isWhitespace == true { before.removeLast() }
            }
            if body.hasSuffix(" -") {
                body = body.dropLast(1)
                rest = rest.drop { $0.isWhitespace }
            }
            if !before.isEmpty { self.pieces.append(.text(String(before))) }
            let bodyOffset = source.utf8.distance(from: source.startIndex, to: body.startIndex)
            self.pieces.append(.pipeline(try Template.pipeline(body, at: bodyOffset)))
        }
        if !rest.isEmpty { self.pieces.append(.text(String(rest))) }
    }

    /// Whether every number that it speaks of is known.
    package func isComplete(in context: TemplateContext) -> Bool {
        self.pieces.allSatisfy { piece in
            guard case .pipeline(let stages) = piece else { return true }
            return stages.allSatisfy { stage in stage.operands.allSatisfy { Template.value(of: $0, context) != nil } }
        }
    }

    package func render(_ context: TemplateContext) -> String {
        var result = ""
        for piece in self.pieces {
            switch piece {
            case .text(let text): result += text
            case .pipeline(let stages): result += Template.run(stages, context)?.text ?? ""
            }
        }
        return result
    }

    private static func run(_ stages: [Stage], _ context: TemplateContext) -> TemplateValue? {
        var piped: TemplateValue?
        for (index, stage) in stages.enumerated() {
            var arguments: [TemplateValue] = []
            for operand in stage.operands {
                guard let value = self.value(of: operand, context) else { return nil }
                arguments.append(value)
            }
            if index > 0 {
                guard let piped else { return nil }
                arguments.append(piped)
            }
            piped = stage.function.map { self.call($0, arguments) } ?? arguments.first
        }
        return piped
    }

    private static func value(of operand: Operand, _ context: TemplateContext) -> TemplateValue? {
        switch operand {
        case .label(let name): .text(context.labels[name])
        case .externalLabel(let name): .text(context.externalLabels[name])
        case .value: context.value.map(TemplateValue.number)
        case .threshold: context.threshold.map(TemplateValue.number)
        case .level: .text(context.level)
        case .text(let text): .text(text)
        case .number(let number): .number(number)
        }
    }

    private static func call(_ function: Function, _ arguments: [TemplateValue]) -> TemplateValue {
        let first = arguments.first ?? .text("")
        switch function {
        case .humanize: return .text(first.number.map(GoFormat.humanize) ?? first.text)
        case .humanizePercentage:
            return .text(first.number.map { GoFormat.fourDigits($0 * 100) + "%" } ?? first.text)
        case .humanizeDuration: return .text(first.number.map(GoFormat.humanizeDuration) ?? first.text)
        case .printf: return .text(GoFormat.printf(first.text, Array(arguments.dropFirst())))
        case .toUpper: return .text(first.text.uppercased())
        case .toLower: return .text(first.text.lowercased())
        }
    }
}

extension Template {
    private static func pipeline(_ body: Substring, at offset: Int) throws(TemplateError) -> [Stage] {
        var stages: [Stage] = []
        var stage = Stage(function: nil, operands: [])
        var isEmpty = true
        func finish(at place: Int) throws(TemplateError) {
            guard !isEmpty else { throw TemplateError(message: "an action is empty", offset: place) }
            if stage.function == nil, stage.operands.count > 1 || !stages.isEmpty {
                throw TemplateError(
                    message: "a function is expected; known: "
                        + Function.allCases.map(\.rawValue).joined(separator: ", "),
                    offset: place
                )
            }
            stages.append(stage)
            stage = Stage(function: nil, operands: [])
            isEmpty = true
        }
        var rest = body
        func place(_ rest: Substring) -> Int {
            offset + body.utf8.count - rest.utf8.count
        }
        while let first = rest.first {
            if first.isWhitespace {
                rest = rest.dropFirst()
                continue
            }
            let here = place(rest)
            if first == "|" {
                try finish(at: here)
                rest = rest.dropFirst()
                continue
            }
            if first == "\"" || first == "`" {
                let text = rest.dropFirst().prefix { $0 != first }
                guard text.endIndex < rest.endIndex else {
                    throw TemplateError(message: "a text is not closed by \(first)", offset: here)
                }
                stage.operands.append(.text(String(text)))
                rest = rest[rest.index(after: text.endIndex)...]
            } else {
                let word = rest.prefix { !$0.isWhitespace && $0 != "|" }
                rest = rest[word.endIndex...]
                if let function = Function(rawValue: String(word)) {
                    guard isEmpty else {
                        throw TemplateError(message: "'\(word)' must come first, or after '|'", offset: here)
                    }
                    stage.function = function
                } else {
                    stage.operands.append(try self.operand(word, at: here))
                }
            }
            isEmpty = false
        }
        try finish(at: offset)
        return stages
    }

    private static func operand(_ word: Substring, at offset: Int) throws(TemplateError) -> Operand {
        switch word {
        case "$value", ".Value": return .value
        case "$threshold": return .threshold
        case "$level": return .level
        default: break
        }
        for prefix in ["$labels.", ".Labels."] where word.hasPrefix(prefix) {
            return .label(String(word.dropFirst(prefix.count)))
        }
        for prefix in ["$externalLabels.", ".ExternalLabels."] where word.hasPrefix(prefix) {
            return .externalLabel(String(word.dropFirst(prefix.count)))
        }
        if let number = Double(word) { return .number(number) }
        let known = "$labels.NAME, $value, $threshold, $level, $externalLabels.NAME"
        if word.hasPrefix("$") {
            throw TemplateError(
                message: "undefined variable \(word.prefix { $0 != "." }); known: \(known)",
                offset: offset
            )
        }
        throw TemplateError(
            message: "'\(word)' is not known here; variables: \(known); functions: "
                + Function.allCases.map(\.rawValue).joined(separator: ", "),
            offset: offset
        )
    }
}
