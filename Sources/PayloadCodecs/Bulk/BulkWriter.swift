// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Writes series in a bulk format, so that ``BulkReader`` gives the same samples back.
///
/// Values are the shortest decimals that name the same double. Quality, method and the simulated mark are kept by CSV
/// alone; the other formats have no place for them. Not-a-number has one bit pattern in text.
///
/// ## Usage
/// ```swift
/// writer.begin(into: &text)
/// for series in all { writer.write(series, into: &text) }
/// writer.end(into: &text)
/// ```
package struct BulkWriter: Sendable {
    package let format: BulkFormat
    /// The labels that have a column of a CSV file, in its order.
    private let labelNames: [String]

    /// `labelNames` are those of all series that will be written, for the header row of CSV.
    package init(_ format: BulkFormat, labelNames: [String] = []) {
        self.format = format
        self.labelNames = labelNames.filter { $0 != Labels.metricName }
    }

    /// What stands before the first series.
    package func begin(into text: inout [UInt8]) {
        guard self.format == .csv else { return }
        let names = self.labelNames.map { CSVTable.columnName(of: $0) }
        text.append(contentsOf: "time,metric,value,quality,method,simulated,failed_test".utf8)
        for name in names {
            text.append(UInt8(ascii: ","))
            text.append(contentsOf: name.utf8)
        }
        text.append(0x0A)
    }

    /// What stands behind the last series.
    package func end(into text: inout [UInt8]) {
        if self.format == .openMetrics { text.append(contentsOf: "# EOF\n".utf8) }
    }

    /// A series without samples leaves no trace.
    package func write(_ series: BulkSeries, into text: inout [UInt8]) {
        guard !series.times.isEmpty else { return }
        switch self.format {
        case .vmJSONLines: self.jsonLine(series, into: &text)
        case .openMetrics, .prometheus: self.exposition(series, into: &text)
        case .csv: self.rows(series, into: &text)
        }
    }

    // MARK: VictoriaMetrics

    private func jsonLine(_ series: BulkSeries, into text: inout [UInt8]) {
        text.append(contentsOf: #"{"metric":{"#.utf8)
        for (index, label) in series.labels.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text.appendJSONString(label.name)
            text.append(UInt8(ascii: ":"))
            text.appendJSONString(label.value)
        }
        text.append(contentsOf: #"},"values":["#.utf8)
        for (index, value) in series.values.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            if value.isFinite {
                DecimalText.append(value, to: &text)
            } else {
                let word: StaticString = value.isNaN ? "null" : value > 0 ? #""Infinity""# : #""-Infinity""#
                text.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
            }
        }
        text.append(contentsOf: #"],"timestamps":["#.utf8)
        for (index, time) in series.times.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            DecimalText.append(time.milliseconds, to: &text)
        }
        text.append(contentsOf: "]}\n".utf8)
    }

    // MARK: OpenMetrics, Prometheus

    private func exposition(_ series: BulkSeries, into text: inout [UInt8]) {
        var key = Array(series.labels.metric.utf8)
        let labels = series.labels.filter { $0.name != Labels.metricName }
        for (index, label) in labels.enumerated() {
            key.append(UInt8(ascii: index == 0 ? "{" : ","))
            key.append(contentsOf: label.name.utf8)
            key.append(contentsOf: "=\"".utf8)
            for byte in label.value.utf8 {
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): key += [UInt8(ascii: "\\"), byte]
                case 0x0A: key.append(contentsOf: #"\n"#.utf8)
                default: key.append(byte)
                }
            }
            key.append(UInt8(ascii: "\""))
        }
        if !labels.isEmpty { key.append(UInt8(ascii: "}")) }
        key.append(0x20)
        for index in series.times.indices {
            text.append(contentsOf: key)
            DecimalText.append(series.values[index], to: &text)
            text.append(0x20)
            let milliseconds = series.times[index].milliseconds
            if self.format == .prometheus {
                DecimalText.append(milliseconds, to: &text)
            } else {
                DecimalText.appendSeconds(milliseconds, to: &text)
            }
            text.append(0x0A)
        }
    }

    // MARK: CSV

    private func rows(_ series: BulkSeries, into text: inout [UInt8]) {
        var labels: [UInt8] = []
        for name in self.labelNames {
            labels.append(UInt8(ascii: ","))
            Self.field(series.labels[name], into: &labels)
        }
        labels.append(0x0A)
        var metric: [UInt8] = [UInt8(ascii: ",")]
        Self.field(series.labels.metric, into: &metric)
        metric.append(UInt8(ascii: ","))
        for index in series.times.indices {
            let mark = SampleMark(rawValue: series.marks.isEmpty ? BulkSeries.defaultMark : series.marks[index])
            DecimalText.appendRFC3339(series.times[index], to: &text)
            text.append(contentsOf: metric)
            DecimalText.append(series.values[index], to: &text)
            text.append(UInt8(ascii: ","))
            text.append(mark.quality.rawValue + 0x30)
            text.append(UInt8(ascii: ","))
            text.append(contentsOf: mark.method.description.utf8)
            text.append(contentsOf: (mark.isSimulated ? ",true," : ",false,").utf8)
            if mark.quality == .suspect, let test = mark.failedTest { text.append(contentsOf: test.description.utf8) }
            text.append(contentsOf: labels)
        }
    }

    /// Quoted where something in it would be read otherwise: separators, quotes, line breaks, blanks at the ends.
    private static func field(_ string: String, into text: inout [UInt8]) {
        let special = string.utf8.contains { [0x22, 0x2C, 0x3B, 0x09, 0x0A, 0x0D].contains($0) }
        guard special || string.utf8.first == 0x20 || string.utf8.last == 0x20 else {
            text.append(contentsOf: string.utf8)
            return
        }
        text.append(0x22)
        for byte in string.utf8 {
            if byte == 0x22 { text.append(0x22) }
            text.append(byte)
        }
        text.append(0x22)
    }
}
