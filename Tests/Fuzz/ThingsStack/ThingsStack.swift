// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for uplinks of The Things Stack; Tests/Fuzz/run builds and runs it.

/// Decodes whatever comes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzThingsStack(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var codec = ThingsStackCodec(limit: 1 << 16)
    let message = decode(UnsafeBufferPointer(start: start, count: count).span, with: &codec, mayBeEmpty: true)
    precondition(!message.senders.isEmpty || !message.refusals.isEmpty, "a payload vanished")
    return 0
}
