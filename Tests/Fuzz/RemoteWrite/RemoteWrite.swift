// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for what is pushed by remote write; Tests/Fuzz/run builds and runs it.

/// Decodes whatever comes, as a whole body and as the message in one; nothing may trap or be no usable series.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRemoteWrite(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    check(input)
    block(input).withUnsafeBytes { check($0) }
    return 0
}

private func check(_ body: UnsafeRawBufferPointer) {
    guard let request = try? RemoteWriteCodec.decode(body) else { return }
    for series in request.series {
        let names = series.labels.map(\.name)
        precondition(zip(names, names.dropFirst()).allSatisfy { $0 < $1 }, "labels out of order, or one twice")
        precondition(series.labels.allSatisfy { !$0.name.isEmpty && !$0.value.isEmpty }, "an empty label")
        precondition(!series.labels.metric.isEmpty && !series.samples.isEmpty, "no series")
    }
    precondition(request.refusals.count <= DecodedMessage.listedRefusals + 1, "a long list")
    precondition(request.refusals.allSatisfy { $0.values > 0 }, "a refusal of nothing")
}

/// A snappy block of literals.
private func block(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    var block: [UInt8] = []
    var rest = text.count
    while rest >= 0x80 {
        block.append(UInt8(rest & 0x7F) | 0x80)
        rest >>= 7
    }
    block.append(UInt8(rest))
    for start in stride(from: 0, to: text.count, by: 1 << 16) {
        let end = min(start + 1 << 16, text.count)
        block += [61 << 2, UInt8((end - start - 1) & 0xFF), UInt8((end - start - 1) >> 8)] + text[start..<end]
    }
    return block
}
