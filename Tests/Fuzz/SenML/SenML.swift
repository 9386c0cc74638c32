// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for packs of SenML; Tests/Fuzz/run builds and runs it.

/// Decodes whatever comes, with and without a time to which others refer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSenML(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var codec = SenMLCodec(limit: 1 << 16)
    codec.now = count % 2 == 0 ? nil : Timestamp(milliseconds: 1_655_802_960_000)
    let message = decode(UnsafeBufferPointer(start: start, count: count).span, with: &codec)
    precondition(message.readings.allSatisfy { !$0.key.isEmpty }, "a reading of nothing")
    precondition(message.units.count == message.readings.count, "a reading without its unit")
    return 0
}
