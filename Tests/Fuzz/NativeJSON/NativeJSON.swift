// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for the native JSON codec; Tests/Fuzz/run builds and runs it.

/// Decodes whatever comes; it must neither trap nor give a value that is no number.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNativeJSON(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var codec = NativeJSONCodec(limit: 1 << 16)
    var message = DecodedMessage()
    codec.decode(UnsafeBufferPointer(start: start, count: count).span, into: &message)
    precondition(
        !message.readings.isEmpty || !message.firmware.isEmpty || !message.refusals.isEmpty,
        "a payload vanished"
    )
    precondition(message.readings.allSatisfy { $0.value.isFinite }, "a reading that is no number")
    return 0
}
