// poyang
// SPDX-License-Identifier: Apache-2.0

extension QueryGenerator {
    private static let comparisons = ["==", "!=", ">", "<", ">=", "<="]
    private static let basics = ["+", "-", "*", "/", "%"]

    /// A vector and a number.
    mutating func withScalar(_ depth: Int) -> MadeQuery {
        let vector = self.vector(depth - 1)
        let scalar = self.oneIn(5) ? self.scalar(1) : MadeQuery(text: self.number(), kind: .scalar)
        var isExact = vector.isExact && scalar.isExact
        var operation: String
        switch Int.random(in: 0..<8, using: &self.random) {
        case 0..<3 where isExact: operation = self.pick(Self.comparisons) + self.pick(["", " bool"])
        case 0..<3: operation = "*"
        case 3:
            operation = self.pick(["^", "atan2"])
            isExact = false
        default:
            // A remainder jumps where the last digit differs.
            operation = self.pick(isExact ? Self.basics : ["+", "*"])
        }
        let inOrder = self.oneIn(2)
        let (left, right) = inOrder ? (vector.text, scalar.text) : (scalar.text, vector.text)
        var result = MadeQuery(text: "(\(left)) \(operation) (\(right))", parts: [vector, scalar], isExact: isExact)
        if operation == "atan2" { result.text = "deg(\(result.text))" }
        return result.parenthesized
    }

    /// Two vectors.
    mutating func paired(_ depth: Int) -> MadeQuery {
        switch Int.random(in: 0..<9, using: &self.random) {
        case 0..<2:
            // The same series at another time.
            let metric = self.anyMetric()
            let selector = self.selector(metric)
            let shifted = "\(selector) offset \(self.pick(["5m", "1h", "-10m"]))"
            return self.combined(MadeQuery(text: selector), "", MadeQuery(text: shifted))
        case 2..<4:
            let left = self.instant(self.pick(Self.paired))
            let right = self.instant(self.pick(Self.paired))
            return self.combined(
                left,
                self.pick(["on(station)", "ignoring(county)", "", "on(station, county)"]),
                right
            )
        case 4:
            let many = self.instant(self.pick(Self.metrics.filter { !$0.isOneToAStation }))
            let one = self.instant(self.pick(Self.paired))
            let matching = self.pick(["on(station)", "on(station, county)", "ignoring(depth, code, le)"])
            let include = self.pick(["", "()", "(county)", "(nothing)"])
            return self.oneIn(2)
                ? self.combined(many, "\(matching) group_left\(include)", one)
                : self.combined(one, "\(matching) group_right\(include)", many)
        case 5: return self.byCounty()
        case 6..<8: return self.set(depth)
        default:
            // Whatever comes; many of these are refused.
            let left = self.vector(depth - 1)
            let right = self.vector(0)
            return self.combined(left, self.pick(["on(county)", "ignoring(station)", ""]), right, filters: false)
        }
    }

    /// Of each county, and of its stations.
    private mutating func byCounty() -> MadeQuery {
        let metric = self.pick(Self.paired)
        let whole = MadeQuery(
            text: "\(self.pick(["max", "min", "count"])) by (county) (\(self.selector(metric)))"
        )
        if self.oneIn(2) {
            let other = "\(self.pick(["max", "min"])) by (county) (\(self.selector(self.pick(Self.paired))))"
            return self.combined(whole, self.pick(["", "on(county)"]), MadeQuery(text: other))
        }
        let each = self.instant(metric)
        return self.combined(each, "on(county) group_left", whole)
    }

    private mutating func set(_ depth: Int) -> MadeQuery {
        let left = self.vector(depth - 1)
        let right = self.vector(0)
        // In a subquery an element may come from the left at one step and from the right at another.
        let operation = self.pick(self.subqueryDepth > 0 ? ["and", "unless"] : ["and", "or", "unless"])
        let matching = self.pick(["", " on(station)", " on(county)", " ignoring(depth, code)", " on()"])
        let result = MadeQuery(
            text: "(\(left.text)) \(operation)\(matching) (\(right.text))",
            parts: [left, right],
            isExact: left.isExact && right.isExact
        )
        return result.parenthesized
    }

    private mutating func combined(
        _ left: MadeQuery,
        _ matching: String,
        _ right: MadeQuery,
        filters: Bool = true
    ) -> MadeQuery {
        var isExact = left.isExact && right.isExact
        var operation: String
        if isExact, self.oneIn(2) {
            operation = self.pick(Self.comparisons) + self.pick(filters ? ["", " bool"] : [" bool"])
        } else {
            operation = self.pick(isExact ? Self.basics : ["+", "*"])
            if isExact, self.oneIn(8) {
                operation = self.pick(["^", "atan2"])
                isExact = false
            }
        }
        let spaced = matching.isEmpty ? "" : matching + " "
        let text = "(\(left.text)) \(operation) \(spaced)(\(right.text))"
        return MadeQuery(
            text: operation == "atan2" ? "deg(\(text))" : "(\(text))",
            parts: [left, right],
            isExact: isExact
        )
    }
}

extension MadeQuery {
    /// The same, safe as an operand.
    var parenthesized: MadeQuery {
        var copy = self
        copy.text = "(\(self.text))"
        return copy
    }
}
