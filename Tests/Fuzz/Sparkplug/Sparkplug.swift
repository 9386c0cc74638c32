// poyang
// SPDX-License-Identifier: Apache-2.0

// A libFuzzer target for payloads of Sparkplug B; Tests/Fuzz/run builds and runs it.

/// Decodes what comes as a birth, then as data, of one node: the second half meets what the first has said.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSparkplug(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    var codec = SparkplugCodec(limit: 1 << 16)
    let topics = ["NBIRTH/n", "DBIRTH/n/d", "NDATA/n", "DDATA/n/d", "NDEATH/n", "DDEATH/n/d"]
    let cut = count / 2
    for (index, part) in [input, Array(input[..<cut]), Array(input[cut...])].enumerated() {
        codec.topic = SparkplugTopic("spBv1.0/g/" + topics[(count + index) % topics.count])
        let message = decode(part.span, with: &codec, mayBeEmpty: true)
        precondition(message.readings.allSatisfy { !$0.key.isEmpty }, "a reading of nothing")
        precondition(message.frame.decodedByServer == message.readings.count, "readings of nobody")
    }
    return 0
}
