// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Spans and moments.
extension Parser {
    /// A span with, where it follows from the query, how: the length is then that of an instant query, or zero.
    typealias Span = (length: Milliseconds, formula: SpanFormula?)

    /// A span in brackets, which may be computed: `[2 * 5m + 30s]`.
    mutating func positiveSpan(in context: String) throws(PromQLError) -> Span {
        let place = self.current.start
        let span = try self.span(self.duration(in: context, minimum: 0), at: place)
        guard span.length > 0 || span.formula != nil else {
            throw self.failure("duration must be greater than 0", at: place)
        }
        return span
    }

    /// A span after `offset`; arithmetic stands in parentheses there.
    mutating func signedSpan(in context: String) throws(PromQLError) -> Span {
        let negates = self.take("-")
        if !negates { _ = self.take("+") }
        let place = self.current.start
        let written = try self.durationOperand(in: context)
        return try self.span(negates ? Self.negated(written) : written, at: place)
    }

    private func span(_ written: WrittenSpan, at place: Int) throws(PromQLError) -> Span {
        guard let seconds = written.formula.constant else {
            return ((try? written.formula.milliseconds(step: 0, range: 0)) ?? 0, written.formula)
        }
        guard abs(seconds) < SpanFormula.longest else { throw self.failure("duration out of range", at: place) }
        let milliseconds = seconds * 1000
        return (Milliseconds(written.isComputed ? milliseconds : milliseconds.rounded()), nil)
    }

    mutating func anchor() throws(PromQLError) -> TimeModifiers.Anchor {
        if self.isKeyword("start") || self.isKeyword("end"), self.following.kind == .symbol("(") {
            let anchor: TimeModifiers.Anchor = self.isKeyword("start") ? .start : .end
            self.advance()
            self.advance()
            try self.expect(")", in: "@ modifier")
            return anchor
        }
        let place = self.current.start
        let sign = self.isSymbol("-") || self.isSymbol("+") ? self.following : self.current
        if case .identifier(let text) = sign.kind, ["inf", "nan"].contains(text.lowercased()) {
            throw self.failure("timestamp out of bounds for @ modifier: \(text)", at: place)
        }
        return .time(Timestamp(milliseconds: try self.signedTime()))
    }

    /// Seconds since 1970, in ms; unlike spans they are not bounded by 292 years.
    private mutating func signedTime() throws(PromQLError) -> Milliseconds {
        let place = self.current.start
        let isNegative = self.take("-")
        if !isNegative { _ = self.take("+") }
        guard case .number(let seconds) = self.current.kind else {
            let span = try self.span(self.durationOperand(in: "@ modifier"), at: place)
            guard span.formula == nil else {
                throw self.failure("a time after @ cannot follow from the query", at: place)
            }
            return isNegative ? -span.length : span.length
        }
        guard seconds < 9.2e15 else {
            throw self.failure("timestamp out of bounds for @ modifier: \(NumberText.text(seconds))", at: place)
        }
        self.advance()
        let time = Milliseconds((seconds * 1000).rounded())
        return isNegative ? -time : time
    }
}
