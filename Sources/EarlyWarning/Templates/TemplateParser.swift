// poyang
// SPDX-License-Identifier: Apache-2.0

/// Reads a template.
struct TemplateParser {
    /// How an action ends a list of nodes.
    private enum End: Equatable {
        case text
        case end
        case otherwise
        /// `else if …` and `else with …`, of which the pipeline is next.
        case otherwiseBranch(TemplateBranch.Kind)
    }

    /// What one may name in every template.
    private static let variables = ["labels", "value", "threshold", "level", "externalLabels", "externalURL"]
    private static let keywords: Set<String> = ["if", "with", "range", "else", "end"]

    private var lexer: TemplateLexer
    private var token = TemplateLexer.Token(kind: .end, offset: 0)
    private var scope: [String] = [""] + TemplateParser.variables
    /// How many branches and parentheses are open.
    private var depth = 0
    private static let deepest = 16
    /// How many loops are open; the rounds of one in another multiply.
    private var loops = 0
    private static let deepestLoops = 3

    init(_ source: String) { self.lexer = TemplateLexer(source) }

    mutating func template() throws(TemplateError) -> [TemplateNode] {
        let (nodes, end, offset) = try self.nodes()
        guard end == .text else { throw TemplateError(message: "nothing is open here that could end", offset: offset) }
        return nodes
    }

    /// Nodes up to the end of the text, or the action that ends a branch.
    private mutating func nodes() throws(TemplateError) -> (nodes: [TemplateNode], end: End, offset: Int) {
        var nodes: [TemplateNode] = []
        while true {
            let text = self.lexer.text()
            if !text.isEmpty { nodes.append(.text(text)) }
            if try self.lexer.comment() { continue }
            let opening = self.lexer.offset
            guard try self.lexer.open() else { return (nodes, .text, opening) }
            try self.advance()
            let offset = self.token.offset
            switch self.token.kind {
            case .identifier("end"):
                try self.advance()
                try self.close()
                return (nodes, .end, offset)
            case .identifier("else"):
                try self.advance()
                if case .identifier(let word) = self.token.kind, let kind = TemplateBranch.Kind(rawValue: word),
                    kind != .range
                {
                    try self.advance()
                    return (nodes, .otherwiseBranch(kind), offset)
                }
                try self.close()
                return (nodes, .otherwise, offset)
            case .identifier(let word) where TemplateBranch.Kind(rawValue: word) != nil:
                try self.advance()
                let known = self.scope.count
                nodes.append(.branch(try self.branch(TemplateBranch.Kind(rawValue: word) ?? .if, opening)))
                self.scope.removeSubrange(known...)
            default:
                nodes.append(try self.action(opening))
                try self.close()
            }
        }
    }

    private mutating func branch(
        _ kind: TemplateBranch.Kind,
        _ opening: Int
    ) throws(TemplateError) -> TemplateBranch {
        try self.enter(opening)
        if kind == .range { self.loops += 1 }
        defer {
            self.depth -= 1
            if kind == .range { self.loops -= 1 }
        }
        guard self.loops <= Self.deepestLoops else {
            throw TemplateError(message: "more than \(Self.deepestLoops) 'range' are open", offset: opening)
        }
        let variables = try self.declared(mayBePair: kind == .range)
        let subject = try self.pipeline(opening)
        self.scope += variables
        try self.close()
        var (body, end, _) = try self.nodes()
        var otherwise: [TemplateNode] = []
        if end == .otherwise {
            (otherwise, end, _) = try self.nodes()
        } else if case .otherwiseBranch(let next) = end {
            otherwise = [.branch(try self.branch(next, opening))]
            end = .end
        }
        guard end == .end else {
            throw TemplateError(message: "'\(kind.rawValue)' has no 'end'", offset: opening)
        }
        return TemplateBranch(kind: kind, variables: variables, subject: subject, body: body, otherwise: otherwise)
    }

    /// A pipeline, alone or for a variable.
    private mutating func action(_ opening: Int) throws(TemplateError) -> TemplateNode {
        guard case .variable(let name) = self.token.kind else { return .output(try self.pipeline(opening)) }
        let before = (self.lexer, self.token)
        try self.advance()
        switch self.token.kind {
        case .symbol(":="):
            try self.advance()
            let value = try self.pipeline(opening)
            self.scope.append(name)
            return .assignment(variable: name, value, isNew: true)
        case .symbol("="):
            try self.check(name, before.1.offset)
            try self.advance()
            return .assignment(variable: name, try self.pipeline(opening), isNew: false)
        default:
            (self.lexer, self.token) = before
            return .output(try self.pipeline(opening))
        }
    }

    /// The variables that a branch sets: `$x :=`, of `range` also `$key, $value :=`.
    private mutating func declared(mayBePair: Bool) throws(TemplateError) -> [String] {
        let before = (self.lexer, self.token)
        var names: [String] = []
        while case .variable(let name) = self.token.kind {
            names.append(name)
            try self.advance()
            guard mayBePair, names.count == 1, self.token.kind == .symbol(",") else { break }
            try self.advance()
        }
        if !names.isEmpty, self.token.kind == .symbol(":=") {
            try self.advance()
            return names
        }
        (self.lexer, self.token) = before
        return []
    }

    private mutating func pipeline(_ opening: Int) throws(TemplateError) -> TemplatePipeline {
        var commands: [TemplateCommand] = []
        while true {
            let place = self.token.offset
            let command = try self.command(opening)
            if command.function == nil, command.operands.count > 1 || !commands.isEmpty {
                let known = TemplateFunction.allCases.map(\.rawValue).joined(separator: ", ")
                throw TemplateError(
                    message: "a function is expected; known: \(known)",
                    offset: commands.isEmpty ? opening + 2 : place
                )
            }
            commands.append(command)
            guard self.token.kind == .symbol("|") else { return TemplatePipeline(commands: commands) }
            try self.advance()
        }
    }

    private mutating func command(_ opening: Int) throws(TemplateError) -> TemplateCommand {
        var function: TemplateFunction?
        if case .identifier(let name) = self.token.kind, let known = TemplateFunction(rawValue: name) {
            function = known
            try self.advance()
        }
        var operands: [TemplateOperand] = []
        while let operand = try self.operand(opening) { operands.append(operand) }
        if function == nil, operands.isEmpty {
            throw TemplateError(message: "an action is empty", offset: opening + 2)
        }
        return TemplateCommand(function: function, operands: operands)
    }

    /// Nil where the command ends.
    private mutating func operand(_ opening: Int) throws(TemplateError) -> TemplateOperand? {
        let offset = self.token.offset
        switch self.token.kind {
        case .end, .symbol("|"), .symbol(")"): return nil
        case .symbol("("):
            try self.enter(offset)
            defer { self.depth -= 1 }
            try self.advance()
            let inner = try self.pipeline(opening)
            guard self.token.kind == .symbol(")") else {
                throw TemplateError(message: "'(' is not closed by ')'", offset: offset)
            }
            let end = self.token.offset + 1
            try self.advance()
            guard case .field(let fields) = self.token.kind, self.token.offset == end else {
                return .pipeline(inner, fields: [])
            }
            try self.advance()
            return .pipeline(inner, fields: fields)
        case .symbol(let text): throw TemplateError(message: "'\(text)' is not expected here", offset: offset)
        case .text(let text):
            try self.advance()
            return .text(text)
        case .number(let number):
            try self.advance()
            return .number(number)
        case .field(let fields):
            try self.advance()
            return .dot(fields: fields)
        case .variable(let text):
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            try self.check(parts[0], offset)
            try self.advance()
            return .variable(parts[0], fields: Array(parts.dropFirst()))
        case .identifier("true"), .identifier("false"):
            let isTrue = self.token.kind == .identifier("true")
            try self.advance()
            return .truth(isTrue)
        case .identifier(let name): throw Self.unknown(name, offset)
        }
    }

    private mutating func enter(_ offset: Int) throws(TemplateError) {
        guard self.depth < Self.deepest else {
            throw TemplateError(message: "more than \(Self.deepest) branches and parentheses are open", offset: offset)
        }
        self.depth += 1
    }

    private func check(_ variable: String, _ offset: Int) throws(TemplateError) {
        guard !self.scope.contains(variable) else { return }
        let known = self.scope.dropFirst().map { "$\($0)" }.joined(separator: ", ")
        throw TemplateError(message: "undefined variable $\(variable); known: \(known)", offset: offset)
    }

    private static func unknown(_ name: String, _ offset: Int) -> TemplateError {
        if TemplateFunction(rawValue: name) != nil || self.keywords.contains(name) {
            return TemplateError(message: "'\(name)' must come first, or after '|'", offset: offset)
        }
        if TemplateFunction.elsewhere.contains(name) {
            return TemplateError(message: "'\(name)' of Go's templates is not available here", offset: offset)
        }
        let known = TemplateFunction.allCases.map(\.rawValue).joined(separator: ", ")
        return TemplateError(message: "'\(name)' is not known here; functions: \(known)", offset: offset)
    }

    private mutating func advance() throws(TemplateError) { self.token = try self.lexer.next() }

    /// The end of an action.
    private mutating func close() throws(TemplateError) {
        guard self.token.kind == .end else {
            throw TemplateError(message: "'}}' is expected here", offset: self.token.offset)
        }
    }
}
