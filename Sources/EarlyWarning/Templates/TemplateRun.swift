// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// Renders a template once.
struct TemplateRun {
    private(set) var text = ""
    /// Whether all that it put out was made of what is known.
    private(set) var isComplete = true
    private let context: TemplateContext
    /// The newest of a name counts.
    private var variables: [(name: String, value: TemplateValue)]

    init(_ context: TemplateContext) {
        self.context = context
        self.variables = [
            ("", .data), ("labels", .labels(context.labels)), ("value", TemplateValue(context.value)),
            ("threshold", TemplateValue(context.threshold)), ("level", .text(context.level)),
            ("externalLabels", .labels(context.externalLabels)), ("externalURL", .text(context.externalURL)),
        ]
    }

    mutating func render(_ nodes: [TemplateNode], dot: TemplateValue) {
        for node in nodes {
            switch node {
            case .text(let text): self.text += text
            case .output(let pipeline):
                self.text += self.value(of: pipeline, dot).text
                if self.lacksValue(pipeline, dot) { self.isComplete = false }
            case .assignment(let name, let pipeline, let isNew):
                let value = self.value(of: pipeline, dot)
                let known = isNew ? nil : self.variables.lastIndex { $0.name == name }
                if let known { self.variables[known].value = value } else { self.variables.append((name, value)) }
            case .branch(let branch): self.render(branch, dot: dot)
            }
        }
    }

    private mutating func render(_ branch: TemplateBranch, dot: TemplateValue) {
        let known = self.variables.count
        defer { self.variables.removeSubrange(known...) }
        let subject = self.value(of: branch.subject, dot)
        guard branch.kind == .range, case .labels(let labels) = subject else {
            if branch.kind != .range, let name = branch.variables.first { self.variables.append((name, subject)) }
            let nodes = subject.isTrue && branch.kind != .range ? branch.body : branch.otherwise
            return self.render(nodes, dot: branch.kind == .with && subject.isTrue ? subject : dot)
        }
        if labels.isEmpty { return self.render(branch.otherwise, dot: dot) }
        for label in labels {
            let values = [TemplateValue.text(label.name), .text(label.value)].suffix(branch.variables.count)
            self.variables += zip(branch.variables, values).map { ($0, $1) }
            self.render(branch.body, dot: .text(label.value))
            self.variables.removeSubrange(known...)
        }
    }

    private func value(of pipeline: TemplatePipeline, _ dot: TemplateValue) -> TemplateValue {
        var piped: TemplateValue?
        for command in pipeline.commands {
            var arguments = command.operands.map { self.value(of: $0, dot) }
            if let piped { arguments.append(piped) }
            piped = command.function.map { $0.call(arguments) } ?? arguments.first
        }
        return piped ?? .nothing
    }

    private func lacksValue(_ pipeline: TemplatePipeline, _ dot: TemplateValue) -> Bool {
        pipeline.commands.contains { command in
            command.operands.contains { operand in
                if case .pipeline(let inner) = operand { return self.lacksValue(inner, dot) }
                if case .nothing = self.value(of: operand, dot) { return true }
                return false
            }
        }
    }

    private func value(of operand: TemplateOperand, _ dot: TemplateValue) -> TemplateValue {
        switch operand {
        case .variable(let name, let fields):
            self.field(fields, of: self.variables.last { $0.name == name }?.value ?? .nothing)
        case .dot(let fields): self.field(fields, of: dot)
        case .text(let text): .text(text)
        case .number(let number): .number(number)
        case .truth(let isTrue): .truth(isTrue)
        case .pipeline(let pipeline): self.value(of: pipeline, dot)
        }
    }

    private func field(_ names: [String], of value: TemplateValue) -> TemplateValue {
        names.reduce(value) { value, name in
            switch (value, name) {
            case (.labels(let labels), _): .text(labels[name])
            case (.data, "Labels"): .labels(self.context.labels)
            case (.data, "ExternalLabels"): .labels(self.context.externalLabels)
            case (.data, "ExternalURL"): .text(self.context.externalURL)
            case (.data, "Value"): TemplateValue(self.context.value)
            default: .nothing
            }
        }
    }
}

extension TemplateFunction {
    /// Its result for arguments in their order, the piped one last; what is missing counts as nothing.
    func call(_ arguments: [TemplateValue]) -> TemplateValue {
        func argument(_ index: Int) -> TemplateValue { index < arguments.count ? arguments[index] : .nothing }
        let (first, second) = (argument(0), argument(1))
        if case .nothing = first, self.formats { return .nothing }
        switch self {
        case .and: return arguments.first { !$0.isTrue } ?? arguments.last ?? .nothing
        case .or: return arguments.first(where: \.isTrue) ?? arguments.last ?? .nothing
        case .not: return .truth(!first.isTrue)
        case .eq: return .truth(arguments.dropFirst().contains { first.order(to: $0) == .orderedSame })
        case .ne: return .truth(first.order(to: second) != .orderedSame)
        case .lt: return .truth(first.order(to: second) == .orderedAscending)
        case .gt: return .truth(first.order(to: second) == .orderedDescending)
        case .le: return .truth([.orderedAscending, .orderedSame].contains(first.order(to: second)))
        case .ge: return .truth([.orderedDescending, .orderedSame].contains(first.order(to: second)))
        case .len: return .number(Double(first.count))
        case .index:
            if case .labels(let labels) = first { return .text(labels[second.text]) }
            return .nothing
        case .print: return .text(arguments.map(\.text).joined())
        case .println: return .text(arguments.map(\.text).joined(separator: " ") + "\n")
        case .printf: return .text(GoFormat.printf(first.text, Array(arguments.dropFirst())))
        case .humanize: return .text(first.number.map(GoFormat.humanize) ?? first.text)
        case .humanize1024: return .text(first.number.map(GoFormat.humanize1024) ?? first.text)
        case .humanizePercentage:
            return .text(first.number.map { GoFormat.fourDigits($0 * 100) + "%" } ?? first.text)
        case .humanizeDuration: return .text(first.number.map(GoFormat.humanizeDuration) ?? first.text)
        case .match: return .truth((try? Regex(first.text)).map { second.text.firstMatch(of: $0) != nil } ?? false)
        case .reReplaceAll:
            guard let expression = try? NSRegularExpression(pattern: first.text) else { return argument(2) }
            let text = argument(2).text
            let whole = NSRange(text.startIndex..., in: text)
            return .text(expression.stringByReplacingMatches(in: text, range: whole, withTemplate: second.text))
        case .title: return .text(first.text.capitalizedWords)
        case .toUpper: return .text(first.text.uppercased())
        case .toLower: return .text(first.text.lowercased())
        }
    }

    /// Whether it makes a text of its first argument, and none where that has no value.
    private var formats: Bool {
        switch self {
        case .humanize, .humanize1024, .humanizePercentage, .humanizeDuration, .title, .toUpper, .toLower: true
        default: false
        }
    }
}

extension String {
    /// With the first letter of each word in upper case, the others as they are.
    fileprivate var capitalizedWords: String {
        var isStart = true
        var result = ""
        for character in self {
            result += isStart ? character.uppercased() : String(character)
            isStart = character.isWhitespace
        }
        return result
    }
}
