// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for events of ChirpStack; Tests/Fuzz/run builds and runs it.

/// Decodes whatever comes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzChirpStack(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var codec = ChirpStackCodec(limit: 1 << 16)
    codec.event = count % 2 == 0 ? .up : .status
    let message = decode(UnsafeBufferPointer(start: start, count: count).span, with: &codec, mayBeEmpty: true)
    precondition(!message.senders.isEmpty || !message.refusals.isEmpty, "a payload vanished")
    return 0
}
