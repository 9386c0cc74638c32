// poyang
// SPDX-License-Identifier: Apache-2.0

import PromQL
import Telemetry
import TestSupport
import Testing

struct PrecedenceTests {
    @Test(
        arguments: [
            ("1 + 2 * 3", 7), ("2 ^ 3 ^ 2", 512), ("-2 ^ 2", -4), ("2 ^ -1", 0.5), ("10 - 2 - 3", 5), ("7 % 4 * 2", 6),
            ("-1 * 2 + 3", 1), ("1 < bool 2 + 3", 1), ("2 * 3 ^ 2", 18), ("5m", 300), ("1h30m / 60", 90), ("0x10", 16),
            ("1_000 + 1", 1001), ("2 atan2 2 * 4", 3.141592653589793), ("(1 + 2) * 3", 9), ("- - 3", 3), (".5e1", 5),
            ("1 == bool 1 == bool 1", 1), ("inf", .infinity), ("-Inf", -.infinity),
            ("0X1f", 31), ("5m30s", 330), ("-5m", -300), ("1d", 86400), ("-1 ^ 2 * 3", -3), ("1.", 1),
            ("2 # two\n* 3 # three", 6), ("3 - -2", 5), ("1 - 2 ^ 2 - 1", -4), ("500ms", 0.5), ("1_2_3", 123),
        ] as [(String, Double)]
    )
    func bindsAsPrometheusDoes(text: String, expected: Double) throws {
        let query = try Query(parsing: text)
        let result = try Evaluator(reader: MemorySeriesReader()).instant(query, at: Timestamp(milliseconds: 0))
        guard case .scalar(let value) = result.value else {
            Issue.record("\(text) is a scalar")
            return
        }
        #expect(value == expected)
    }

    /// The canonical text of the left must equal that of the right without its parentheses.
    @Test(arguments: [
        ("a or b and c", "a or (b and c)"), ("a and b or c", "(a and b) or c"),
        ("a unless b and c", "(a unless b) and c"), ("a > b and c < d", "(a > b) and (c < d)"),
        ("a + b > c * d", "(a + b) > (c * d)"), ("a * b ^ c", "a * (b ^ c)"), ("-a * b", "(-a) * b"),
        ("sum(a) / sum(b) > 0.5", "(sum(a) / sum(b)) > 0.5"),
    ])
    func groupsOperatorsByTheirRank(text: String, grouped: String) throws {
        let plain = try shape(of: Query(parsing: text).expression)
        #expect(try plain == shape(of: Query(parsing: grouped).expression))
    }

    /// Fully parenthesised.
    private func shape(of expression: Expression) -> String {
        switch expression {
        case .parentheses(let inner): shape(of: inner)
        case .binary(let binary):
            "(\(shape(of: binary.left)) \(binary.operation.rawValue) \(shape(of: binary.right)))"
        case .unary(let negates, let inner): "(\(negates ? "-" : "+")\(shape(of: inner)))"
        case .number, .string, .selector, .subquery, .aggregation, .call: "\(expression)"
        }
    }
}
