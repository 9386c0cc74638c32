// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for telemetry of a ThingsBoard gateway; Tests/Fuzz/run builds and runs it.

/// Decodes whatever comes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzGatewayTelemetry(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var codec = GatewayTelemetryCodec(limit: 1 << 16)
    decode(UnsafeBufferPointer(start: start, count: count).span, with: &codec)
    return 0
}
