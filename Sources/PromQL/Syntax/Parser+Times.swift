// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Spans and moments.
extension Parser {
    /// 2⁶³ ns, in seconds: the longest duration that Prometheus can hold, about 292 years.
    static let longestSpan = 9_223_372_036.854775

    /// A span after `offset` or `@`, without its sign; arithmetic stands in parentheses there.
    private mutating func span(in context: String) throws(PromQLError) -> Milliseconds {
        let place = self.current.start
        return try self.milliseconds(try self.durationOperand(in: context), at: place)
    }

    /// A span in brackets, which may be computed: `[2 * 5m + 30s]`.
    mutating func positiveSpan(in context: String) throws(PromQLError) -> Milliseconds {
        let place = self.current.start
        let span = try self.milliseconds(try self.duration(in: context, minimum: 0), at: place)
        guard span > 0 else { throw self.failure("duration must be greater than 0", at: place) }
        return span
    }

    mutating func signedSpan(in context: String) throws(PromQLError) -> Milliseconds {
        if self.take("-") { return -(try self.span(in: context)) }
        _ = self.take("+")
        return try self.span(in: context)
    }

    private func milliseconds(_ seconds: Double, at place: Int) throws(PromQLError) -> Milliseconds {
        guard abs(seconds) < Self.longestSpan else { throw self.failure("duration out of range", at: place) }
        return Milliseconds((seconds * 1000).rounded())
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
            let span = try self.span(in: "@ modifier")
            return isNegative ? -span : span
        }
        guard seconds < 9.2e15 else {
            throw self.failure("timestamp out of bounds for @ modifier: \(NumberText.text(seconds))", at: place)
        }
        self.advance()
        let time = Milliseconds((seconds * 1000).rounded())
        return isNegative ? -time : time
    }
}
