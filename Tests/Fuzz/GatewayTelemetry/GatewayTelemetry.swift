// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for telemetry of a ThingsBoard gateway; Tests/Fuzz/run builds and runs it.

/// Decodes whatever comes; it must neither trap nor give a value that is no number.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzGatewayTelemetry(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var codec = GatewayTelemetryCodec(limit: 1 << 16)
    var message = DecodedMessage()
    codec.decode(UnsafeBufferPointer(start: start, count: count).span, into: &message)
    precondition(!message.senders.isEmpty || !message.refusals.isEmpty, "a payload vanished")
    precondition(message.readings.allSatisfy { $0.value.isFinite }, "a reading that is no number")
    precondition(message.frame.decodedByServer <= message.readings.count, "more readings of the server than there are")
    precondition(message.senders.allSatisfy { $0.firstReading <= message.readings.count }, "a sender of nothing")
    return 0
}
