// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for the chunk codec; Tests/Fuzz/run builds and runs it. The seeds are chunks without version and
// checksum, which are put to the input here, so that the decoder behind them is reached.

/// Decodes whatever comes; what it takes for a chunk has rising times and comes back from another round unchanged.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChunkCodec(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var writer = ByteWriter(capacity: count + 5)
    writer.byte(ChunkCodec.version)
    writer.raw(UnsafeRawBufferPointer(start: start, count: count))
    writer.fixed(CRC32.checksum(writer.bytes.span))
    guard let columns = try? ChunkCodec.decode(writer.bytes) else { return 0 }
    precondition(columns.times.count == columns.values.count && columns.times.count == columns.marks.count)
    precondition(zip(columns.times, columns.times.dropFirst()).allSatisfy { $0 < $1 }, "times that do not rise")
    var bytes: [UInt8] = []
    let statistics = ChunkCodec.encode(columns, into: &bytes)
    precondition((try? ChunkCodec.decode(bytes)) == columns, "another chunk after a round")
    let packed = statistics.bytes(base: 0)
    var reader = ByteReader(packed)
    precondition((try? ChunkStatistics(from: &reader, base: 0)) == statistics, "other statistics after a round")
    return 0
}
