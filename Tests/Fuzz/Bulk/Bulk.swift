// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for the readers of bulk formats; Tests/Fuzz/run Bulk builds and runs it.

/// Reads whatever comes in the format that the first byte names; what was read must survive being written.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBulk(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let format = BulkFormat.allCases[Int(start[0]) % BulkFormat.allCases.count]
    var bytes = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    var table: CSVTable?
    if format == .csv {
        let header = bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
        table = try? CSVTable(header: UnsafeRawBufferPointer(rebasing: bytes[..<header]))
        bytes = UnsafeRawBufferPointer(rebasing: bytes[header...])
    }
    let reader = BulkReader(format, table: table)
    let length = format.split(bytes, table: table)
    precondition(length <= bytes.count, "more lines than bytes")
    let piece = reader.read(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
    _ = reader.read(bytes)
    var samples = 0
    let names = Set(piece.series.flatMap { $0.labels.map(\.name) }).sorted()
    let writer = BulkWriter(format, labelNames: names)
    var text: [UInt8] = []
    for series in piece.series {
        precondition(series.times.count == series.values.count, "a value without a time")
        precondition(series.marks.isEmpty || series.marks.count == series.times.count, "a mark without a sample")
        samples += series.times.count
        writer.write(series, into: &text)
    }
    precondition(samples == piece.samples, "samples are counted otherwise than given")
    var header: [UInt8] = []
    writer.begin(into: &header)
    let again = BulkReader(format, table: try? header.withUnsafeBytes { try CSVTable(header: $0) })
    let copy = text.withUnsafeBytes { again.read($0) }
    precondition(copy.refused == 0 || format == .csv && table == nil, "what was written is refused: \(copy.errors)")
    precondition(copy.samples == samples, "\(samples) samples were written, \(copy.samples) read")
    return 0
}
