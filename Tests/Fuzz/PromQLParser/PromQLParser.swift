// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for lexer, parser, printer and patterns of PromQL; Tests/Fuzz/run PromQLParser builds and runs it.

/// What the conditions of queries are tried on: patterns must take linear time for it.
private let long = String(repeating: "a", count: 400)

/// Parses whatever comes; what it takes for a query is printed as a text that means the same, in one spelling.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPromQLParser(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    let expression: Expression
    do {
        expression = try Parser.parse(text)
    } catch {
        guard let position = error.position else { return 0 }
        precondition(position.offset <= text.utf8.count, "a place behind the query")
        precondition(position.line >= 1 && position.column >= 1, "a place before the query")
        precondition(!error.message.isEmpty, "an error that says nothing")
        return 0
    }
    let canonical = expression.description
    do {
        let again = try Parser.parse(canonical)
        precondition(again.description == canonical, "two spellings: \(canonical) and \(again)")
        // Not a number is equal to nothing.
        precondition(again == expression || canonical.contains("NaN"), "another meaning: \(canonical)")
    } catch {
        preconditionFailure("canonical text is refused: \(canonical): \(error)")
    }
    match(expression)
    return 0
}

/// Asks every condition, so that every pattern runs.
private func match(_ expression: Expression) {
    switch expression {
    case .number, .string: break
    case .selector(let selector):
        for matcher in selector.matchers {
            precondition(matcher.matches("") == matcher.matches(""), "a condition that changes its mind")
            _ = matcher.matches(long)
            _ = matcher.matches("鄱阳湖\n\u{0}")
        }
    case .subquery(let subquery): match(subquery.inner)
    case .parentheses(let inner), .unary(_, let inner): match(inner)
    case .binary(let binary):
        match(binary.left)
        match(binary.right)
    case .aggregation(let aggregation): match(aggregation.inner)
    case .call(let call): call.arguments.forEach(match)
    }
}
