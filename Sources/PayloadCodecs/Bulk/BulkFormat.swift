// poyang
// SPDX-License-Identifier: Apache-2.0

/// A text form in which samples come and go in bulk.
package enum BulkFormat: String, CaseIterable, Sendable {
    /// OpenMetrics 1.0 text: a sample per line, timestamps in seconds.
    case openMetrics = "openmetrics"
    /// Prometheus's text exposition 0.0.4: the same lines, timestamps in milliseconds.
    case prometheus
    /// A header row, then a row per sample; ``CSVTable`` says which columns there are.
    case csv
    /// VictoriaMetrics's export: `{"metric":{…},"values":[…],"timestamps":[ms,…]}` per line.
    case vmJSONLines = "vm-jsonl"

    /// A longer line is refused as a whole.
    package static let maximumLine = 64 << 20
    /// A CSV record whose quotes are not closed within so many bytes is refused, and reading goes on in the next line.
    package static let maximumRecord = 1 << 20

    /// Whether the samples of a series are spread over many lines.
    package var isRowWise: Bool { self != .vmJSONLines }

    /// How many bytes at the start of `bytes` are whole lines (CSV: whole records), their line ends included.
    ///
    /// `bytes` begin at the start of a line. 0 where no line ends.
    package func split(_ bytes: UnsafeRawBufferPointer, table: CSVTable? = nil) -> Int {
        guard self == .csv, ByteScan.first(0x22, in: bytes) != nil else {
            return ByteScan.last(0x0A, in: bytes).map { $0 + 1 } ?? 0
        }
        guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return 0 }
        let end = base + bytes.count
        let separator = table?.separator ?? UInt8(ascii: ",")
        var position = base
        while position < end {
            switch CSVRecordEnd(position, end, separator: separator) {
            case .complete(let next) where next > position && next[-1] == 0x0A: position = next
            case .unclosed(let next): position = next
            case .complete, .open: return position - base
            }
        }
        return position - base
    }
}
