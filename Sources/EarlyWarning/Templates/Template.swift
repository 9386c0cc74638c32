// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why a template could not be read.
package struct TemplateError: Error, Hashable, Sendable {
    /// What is wrong and what would be right.
    package let message: String
    /// Bytes of UTF-8 from the beginning of the text.
    package let offset: Int
}

/// A text of an annotation or a label with actions in `{{ … }}`: what rules need of Go's templates as Prometheus has them.
///
/// An action is a pipeline, `{{ $value | printf "%.2f" }}`, which may set a variable, `{{ $x := … }}`, or one of `if`,
/// `with` and `range` up to its `end`, with `else` between. It may name `$labels`, `$value`, `$threshold`, `$level`,
/// `$externalLabels` and `$externalURL` (also `.Labels`, `.Value` and so on), texts, numbers and the functions of
/// ``TemplateFunction``, of which `query` asks the store. What has no value renders as nothing; where that would
/// leave a hole there is no ``complete(_:)`` text.
package struct Template: Sendable {
    let nodes: [TemplateNode]

    /// Whether it renders the same text always.
    package var isConstant: Bool {
        self.nodes.allSatisfy {
            if case .text = $0 { true } else { false }
        }
    }

    /// Whether it asks the store.
    var asks: Bool { self.nodes.contains(where: \.asks) }

    package init(parsing source: String) throws(TemplateError) {
        var parser = TemplateParser(source)
        self.nodes = try parser.template()
    }

    /// The text; nil where a number that it speaks of is not known.
    package func complete(_ context: TemplateContext) -> String? {
        var run = TemplateRun(context)
        run.render(self.nodes, dot: .data)
        return run.isComplete ? run.text : nil
    }

    package func render(_ context: TemplateContext) -> String {
        var run = TemplateRun(context)
        run.render(self.nodes, dot: .data)
        return run.text
    }
}

/// A part of a template.
indirect enum TemplateNode: Sendable {
    case text(String)
    case output(TemplatePipeline)
    /// `$x := …`, or `$x = …` for a variable that there is.
    case assignment(variable: String, TemplatePipeline, isNew: Bool)
    case branch(TemplateBranch)
}

/// `if`, `with` or `range`.
struct TemplateBranch: Sendable {
    enum Kind: String, Sendable { case `if`, with, range }

    let kind: Kind
    /// Those that the subject sets: of `range` key and value, or the value alone.
    let variables: [String]
    let subject: TemplatePipeline
    let body: [TemplateNode]
    let otherwise: [TemplateNode]
}

/// Commands, each of which gets the result of the one before as its last argument.
struct TemplatePipeline: Sendable {
    let commands: [TemplateCommand]
}

/// A call of a function, or one operand.
struct TemplateCommand: Sendable {
    let function: TemplateFunction?
    let operands: [TemplateOperand]
}

indirect enum TemplateOperand: Sendable {
    /// `$name.field.field`; the name is empty for the `$` of the whole data.
    case variable(String, fields: [String])
    /// `.field.field`, or `.` alone.
    case dot(fields: [String])
    case text(String)
    case number(Double)
    case truth(Bool)
    /// `(…).field.field`
    case pipeline(TemplatePipeline, fields: [String])
}

/// The functions that templates may call: of Go, and of Prometheus.
enum TemplateFunction: String, Sendable, CaseIterable {
    case and, or, not, eq, ne, lt, le, gt, ge, len, index, print, printf, println
    case humanize, humanize1024, humanizePercentage, humanizeDuration, humanizeTimestamp, parseDuration
    case match, reReplaceAll, title, toUpper, toLower, stripPort, stripDomain, safeHtml, urlquery
    case externalURL, pathPrefix, tableLink, graphLink
    case query, first, value, strvalue, label, sortByLabel

    /// Those of Go and of Prometheus that are not known here.
    static let elsewhere: Set<String> = [
        "args", "tmpl", "template", "define", "block", "toTime", "toDuration", "now", "urlQueryEscape", "break",
        "continue", "call", "html", "js", "slice",
    ]
}

extension TemplateNode {
    fileprivate var asks: Bool {
        switch self {
        case .text: false
        case .output(let pipeline), .assignment(_, let pipeline, _): pipeline.asks
        case .branch(let branch): branch.subject.asks || (branch.body + branch.otherwise).contains(where: \.asks)
        }
    }
}

extension TemplatePipeline {
    fileprivate var asks: Bool {
        self.commands.contains { command in
            command.function == .query
                || command.operands.contains { if case .pipeline(let inner, _) = $0 { inner.asks } else { false } }
        }
    }
}
