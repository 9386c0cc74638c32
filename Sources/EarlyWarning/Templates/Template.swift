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
/// ``TemplateFunction``. What has no value renders as nothing; where that would
/// leave a hole there is no ``complete(_:)`` text.
package struct Template: Sendable {
    let nodes: [TemplateNode]

    /// Whether it renders the same text always.
    package var isConstant: Bool {
        self.nodes.allSatisfy {
            if case .text = $0 { true } else { false }
        }
    }

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
    case pipeline(TemplatePipeline)
}

/// The functions that templates may call: of Go, and of Prometheus.
enum TemplateFunction: String, Sendable, CaseIterable {
    case and, or, not, eq, ne, lt, le, gt, ge, len, index, print, printf, println
    case humanize, humanize1024, humanizePercentage, humanizeDuration
    case match, reReplaceAll, title, toUpper, toLower

    /// Those of Prometheus that need more than an alert has here.
    static let elsewhere: Set<String> = [
        "query", "first", "label", "value", "strvalue", "sortByLabel", "tableLink", "graphLink", "externalURL",
        "pathPrefix",
        "args", "tmpl", "template", "define", "block", "safeHtml", "toTime", "toDuration", "now", "parseDuration",
        "humanizeTimestamp", "stripPort", "stripDomain", "urlQueryEscape", "break", "continue", "call", "html", "js",
        "slice", "urlquery",
    ]
}
