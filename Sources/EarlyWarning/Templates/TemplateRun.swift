// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PromQL
import Telemetry

/// Renders a template once.
struct TemplateRun {
    private(set) var text = ""
    /// Whether all that it put out was made of what is known.
    private(set) var isComplete = true
    private let context: TemplateContext
    /// How often loops went round.
    private var rounds = 0
    /// More often they do not; the text is not complete then.
    private static let mostRounds = 10_000
    /// The newest of a name counts.
    private var variables: [(name: String, value: TemplateValue)]

    init(_ context: TemplateContext) {
        self.context = context
        self.variables = [
            ("", .data), ("labels", .labels(context.labels, hidden: context.ownLabels)),
            ("value", TemplateValue(context.value)),
            ("threshold", TemplateValue(context.threshold)), ("level", .text(context.level)),
            ("externalLabels", .labels(context.externalLabels, hidden: .empty)),
            ("externalURL", .text(context.externalURL)),
        ]
    }

    mutating func render(_ nodes: [TemplateNode], dot: TemplateValue) {
        for node in nodes {
            switch node {
            case .text(let text): self.text += text
            case .output(let pipeline):
                let value = self.value(of: pipeline, dot)
                self.text += value.text
                if value.isNothing || self.lacksValue(pipeline, dot) { self.isComplete = false }
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
        guard branch.kind == .range, let members = subject.members else {
            if branch.kind != .range, let name = branch.variables.first { self.variables.append((name, subject)) }
            let nodes = subject.isTrue && branch.kind != .range ? branch.body : branch.otherwise
            return self.render(nodes, dot: branch.kind == .with && subject.isTrue ? subject : dot)
        }
        if members.isEmpty { return self.render(branch.otherwise, dot: dot) }
        for (key, member) in members {
            self.rounds += 1
            guard self.rounds <= Self.mostRounds else {
                self.isComplete = false
                return
            }
            let values = [key, member].suffix(branch.variables.count)
            self.variables += zip(branch.variables, values).map { ($0, $1) }
            self.render(branch.body, dot: member)
            self.variables.removeSubrange(known...)
        }
    }

    private func value(of pipeline: TemplatePipeline, _ dot: TemplateValue) -> TemplateValue {
        var piped: TemplateValue?
        for command in pipeline.commands {
            var arguments = command.operands.map { self.value(of: $0, dot) }
            if let piped { arguments.append(piped) }
            piped = command.function.map { $0.call(arguments, self.context) } ?? arguments.first
        }
        return piped ?? .nothing
    }

    private func lacksValue(_ pipeline: TemplatePipeline, _ dot: TemplateValue) -> Bool {
        pipeline.commands.contains { command in
            command.operands.contains { operand in
                if case .pipeline(let inner, _) = operand { return self.lacksValue(inner, dot) }
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
        case .pipeline(let pipeline, let fields): self.field(fields, of: self.value(of: pipeline, dot))
        }
    }

    private func field(_ names: [String], of value: TemplateValue) -> TemplateValue {
        names.reduce(value) { value, name in
            switch (value, name) {
            case (.labels(let labels, let hidden), _): .text(labels.value(of: name) ?? hidden[name])
            case (.data, "Labels"): .labels(self.context.labels, hidden: self.context.ownLabels)
            case (.data, "ExternalLabels"): .labels(self.context.externalLabels, hidden: .empty)
            case (.sample(let sample), "Labels"): .labels(sample.labels, hidden: .empty)
            case (.sample(let sample), "Value"): .number(sample.value)
            case (.data, "ExternalURL"): .text(self.context.externalURL)
            case (.data, "Value"): TemplateValue(self.context.value)
            default: .nothing
            }
        }
    }
}

extension TemplateFunction {
    /// Its result for arguments in their order, the piped one last; what is missing counts as nothing.
    func call(_ arguments: [TemplateValue], _ context: TemplateContext) -> TemplateValue {
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
            switch first {
            case .labels(let labels, let hidden):
                return .text(labels.value(of: second.text) ?? hidden[second.text])
            case .samples(let samples):
                let place = second.number.flatMap { Int(exactly: $0) } ?? -1
                return samples.indices.contains(place) ? .sample(samples[place]) : .nothing
            default: return .nothing
            }
        case .print: return .text(arguments.map(\.text).joined())
        case .println: return .text(arguments.map(\.text).joined(separator: " ") + "\n")
        case .printf: return .text(GoFormat.printf(first.text, Array(arguments.dropFirst())))
        case .humanize: return .text(first.number.map(GoFormat.humanize) ?? first.text)
        case .humanize1024: return .text(first.number.map(GoFormat.humanize1024) ?? first.text)
        case .humanizePercentage:
            return .text(first.number.map { GoFormat.fourDigits($0 * 100) + "%" } ?? first.text)
        case .humanizeDuration: return .text(first.number.map(GoFormat.humanizeDuration) ?? first.text)
        case .humanizeTimestamp: return .text(first.number.map(GoFormat.humanizeTimestamp) ?? first.text)
        case .parseDuration:
            return PrometheusDuration.parse(first.text).map { .number(Double($0) / 1000) } ?? .nothing
        case .match: return .truth((try? Regex(first.text)).map { second.text.firstMatch(of: $0) != nil } ?? false)
        case .reReplaceAll:
            guard let expression = try? NSRegularExpression(pattern: first.text) else { return argument(2) }
            return .text(argument(2).text.replacing(expression, byGo: second.text))
        case .title: return .text(first.text.capitalizedWords)
        case .toUpper: return .text(first.text.uppercased())
        case .toLower: return .text(first.text.lowercased())
        case .stripPort: return .text(first.text.withoutPort)
        case .stripDomain: return .text(first.text.withoutDomain)
        case .safeHtml: return .text(first.text)
        case .urlquery: return .text(arguments.map(\.text).joined().queryEscaped)
        case .externalURL: return .text(context.externalURL)
        case .pathPrefix: return .text(URLComponents(string: context.externalURL)?.path ?? "")
        case .tableLink: return .text("/graph?g0.expr=\(first.text.queryEscaped)&g0.tab=1")
        case .graphLink: return .text("/graph?g0.expr=\(first.text.queryEscaped)&g0.tab=0")
        case .query: return context.ask(first.text).map { .samples($0) } ?? .nothing
        case .first:
            if case .samples(let samples) = first, let sample = samples.first { return .sample(sample) }
            return .nothing
        case .value:
            if case .sample(let sample) = first { return .number(sample.value) }
            return .nothing
        case .strvalue:
            if case .sample(let sample) = first { return .text(sample.labels["__value__"]) }
            return .nothing
        case .label:
            if case .sample(let sample) = second { return .text(sample.labels[first.text]) }
            return .nothing
        case .sortByLabel:
            guard case .samples(let samples) = second else { return .nothing }
            return .samples(samples.sorted { $0.labels[first.text] < $1.labels[first.text] })
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

extension TemplateValue {
    /// What `range` goes through, with the key of each; nil of what has no members.
    fileprivate var members: [(key: TemplateValue, value: TemplateValue)]? {
        switch self {
        case .labels(let labels, _): labels.map { (.text($0.name), .text($0.value)) }
        case .samples(let samples): samples.enumerated().map { (.number(Double($0.offset)), .sample($0.element)) }
        case .nothing, .data, .number, .text, .truth, .sample: nil
        }
    }
}

extension String {
    /// As `host` of `host:port`.
    fileprivate var withoutPort: String {
        let host = self.hasPrefix("[") ? self.prefix { $0 != "]" }.dropFirst() : self.prefix { $0 != ":" }
        let rest = self.hasPrefix("[") ? self.dropFirst(host.count + 2) : self.dropFirst(host.count)
        return rest.hasPrefix(":") && !rest.dropFirst().contains(":") ? String(host) : self
    }

    /// As `host` of `host.domain`, with the port where there is one; of an address nothing is taken away.
    fileprivate var withoutDomain: String {
        let host = self.withoutPort
        let isAddress = host.contains(":") || host.allSatisfy { $0.isNumber || $0 == "." }
        return isAddress ? self : String(host.prefix { $0 != "." }) + self.dropFirst(host.count)
    }

    /// As Go's `url.QueryEscape` writes it.
    fileprivate var queryEscaped: String {
        let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~ ")
        return (self.addingPercentEncoding(withAllowedCharacters: plain) ?? self).replacing(" ", with: "+")
    }

    /// With each match replaced by a text in which `$1` and `${1}` are its groups and `$$` is a dollar sign, as in Go:
    /// `$1x` is a group of that name, of which there is none here.
    fileprivate func replacing(_ expression: NSRegularExpression, byGo template: String) -> String {
        var result = ""
        var end = self.startIndex
        for match in expression.matches(in: self, range: NSRange(end..., in: self)) {
            guard let range = Range(match.range, in: self) else { continue }
            result += self[end..<range.lowerBound]
            result += template.replacing(/\$(?:(\$)|(\w+)|\{(\w+)\})/) { part -> Substring in
                if let dollar = part.1 { return dollar }
                guard let number = (part.2 ?? part.3).flatMap({ Int($0) }), number < match.numberOfRanges,
                    let group = Range(match.range(at: number), in: self)
                else { return "" }
                return self[group]
            }
            end = range.upperBound
        }
        return result + self[end...]
    }

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
