// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Which columns a CSV file has, from its header row.
///
/// A row is one sample: its time in `time` (RFC 3339; without a zone read at +08:00), `time_s` or `time_ms` (Unix
/// time), its `metric` and `value`, and optionally `quality` (a QARTOD flag: 1, 2, 3, 4 or 9), `method` (`measured`,
/// `manual`, `interpolated`, `gap_total`) and `simulated` (`true`, `false`) and `failed_test`
/// (what makes a value suspect: `spike`, `rate_of_change`, …). Each other column is a label; one whose
/// name means something else already is written `label:quality`. The separator is a comma, or a semicolon or tab where
/// the header has more of those.
package struct CSVTable: Sendable {
    enum Role: Hashable, Sendable {
        /// How times are written.
        enum Clock: Hashable, Sendable {
            case civil, seconds, milliseconds
        }

        case time(Clock)
        case metric, value, quality, method, simulated, failedTest
        case label(String)
    }

    /// What marks a column as a label, whatever its name.
    static let labelPrefix = "label:"

    let roles: [Role]
    package let separator: UInt8
    /// The header row as it came, without its line end: what a piece of the file needs to be read alone.
    package let header: [UInt8]

    /// - Parameter line: The first line of the file, with or without its line end and a byte order mark.
    /// - Throws: ``BulkLineError`` that says which column is missing.
    package init(header line: UnsafeRawBufferPointer) throws(BulkLineError) {
        try self.init(header: Array(line))
    }

    /// The same for a row that is held already.
    package init(header line: [UInt8]) throws(BulkLineError) {
        var bytes = line
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        let counts = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
            .map { mark in bytes.count { $0 == mark } }
        var separator = UInt8(ascii: ",")
        if counts[1] > counts[0] { separator = UInt8(ascii: ";") }
        if counts[2] > max(counts[0], counts[1]) { separator = UInt8(ascii: "\t") }
        guard let names = CSVTable.names(bytes, separator) else {
            throw BulkLineError(line: 1, column: 1, message: "the header row has an open quote")
        }
        func fail(_ message: String) -> BulkLineError {
            BulkLineError(
                line: 1,
                column: 1,
                message: "\(message); a row is one sample: time (or time_ms, time_s), metric, value and a column for "
                    + "each label; there are: \(names.joined(separator: ", "))"
            )
        }
        self.roles = names.map(CSVTable.role)
        self.separator = separator
        self.header = bytes
        let times = self.roles.count { if case .time = $0 { true } else { false } }
        guard times > 0 else { throw fail("no column 'time'") }
        guard times == 1 else { throw fail("more than one column of times") }
        for (role, name) in [(Role.metric, "metric"), (.value, "value")] where !self.roles.contains(role) {
            throw fail("no column '\(name)'")
        }
        guard Set(self.roles).count == self.roles.count else { throw fail("a column is there twice") }
        for case .label(let name) in self.roles where !PrometheusName.isLabel(name) || name == Labels.metricName {
            throw fail("'\(name)' is no label name: letters, digits and _, no digit first")
        }
    }

    private static func role(_ name: String) -> Role {
        switch name {
        case "time": .time(.civil)
        case "time_s": .time(.seconds)
        case "time_ms": .time(.milliseconds)
        case "metric": .metric
        case "value": .value
        case "quality": .quality
        case "method": .method
        case "simulated": .simulated
        case "failed_test": .failedTest
        default: .label(name.hasPrefix(self.labelPrefix) ? String(name.dropFirst(self.labelPrefix.count)) : name)
        }
    }

    /// How a label's column is called.
    static func columnName(of label: String) -> String {
        if case .label = self.role(label) { return label }
        return self.labelPrefix + label
    }

    private static func names(_ bytes: [UInt8], _ separator: UInt8) -> [String]? {
        bytes.withUnsafeBufferPointer { buffer -> [String]? in
            guard let start = buffer.baseAddress else { return [] }
            var fields: [CSVField] = []
            guard CSVField.split(LineCursor(start, start + buffer.count), separator, maximum: 10_000, into: &fields)
            else { return nil }
            return fields.map { $0.trimmed().text }
        }
    }
}
