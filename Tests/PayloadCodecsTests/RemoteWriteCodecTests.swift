// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry
import TestSupport
import Testing

/// Bodies that are pushed: what is in them, and what is no such body.
struct RemoteWriteCodecTests {
    private static let start: Int64 = 1_700_000_000_000

    private func decode(_ body: [UInt8]) throws -> RemoteWriteRequest {
        try body.withUnsafeBytes { try RemoteWriteCodec.decode($0) }
    }

    private func error(_ body: [UInt8]) -> RemoteWriteError? {
        do {
            _ = try self.decode(body)
            return nil
        } catch {
            return error as? RemoteWriteError
        }
    }

    /// Two series of three samples and one, an exemplar, a histogram and metadata, by Python and libsnappy, copies in
    /// the compressed text included.
    private static let vector = """
        8503f08b0aad010a1f0a085f5f6e616d655f5f1213687474705f72657175657374735f746f74616c0a0b0a04636f64651203323030\
        0a180a0768616e646c6572120d2f6170692f76312f71756572790a1a0a08696e7374616e6365120e6c6f63616c686f73743a393039\
        300a110a036a6f62120a70726f6d657468657573121009000000000000f03f1080d095ffbc31151220044010e8d795ffbc31151210\
        008010d0df0112040aaeaeb0000035feb00036b000000209b0087f108005b0441a1f0a0d0a0874726163655f696412017809052019\
        d11c220208071a22080152560128220968656c702074657874
        """

    private static func bytes(ofHex text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    @Test func readsWhatOthersWrote() throws {
        let request = try self.decode(Self.bytes(ofHex: Self.vector))
        let labels = Labels(
            metric: "http_requests_total",
            ["handler": "/api/v1/query", "instance": "localhost:9090", "job": "prometheus"]
        )
        #expect(request.series.map(\.labels) == [labels.with("code", "200"), labels.with("code", "500")])
        #expect(request.series[0].samples.map(\.time.milliseconds) == [0, 1000, 2000].map { Self.start + $0 })
        #expect(request.series[0].samples.map(\.value.bitPattern) == [1, 2.5, -0.0].map(\Double.bitPattern))
        #expect(request.series[1].samples.map(\.value.bitPattern) == [0x7FF0_0000_0000_0002], "a stale marker")
        #expect(request.series.flatMap(\.samples).allSatisfy { $0.mark == .measured })
        #expect(request.refusals.isEmpty && request.exemplars == 1 && request.histograms == 1)
    }

    @Test func sortsLabelsAndLeavesOutEmptyOnes() throws {
        let series = PushedBody.Series(["site": "xingzi", "b": "", "a": "水", "__name__": "m"], [Self.start: 1])
        let labels = try self.decode(PushedBody.body([series])).series.map(\.labels)
        #expect(labels == [Labels(metric: "m", ["a": "水", "site": "xingzi"])])
        #expect(labels[0].map(\.name) == ["__name__", "a", "site"])
    }

    @Test func takesAnEmptyRequestAndSeriesWithoutSamples() throws {
        #expect(try self.decode([0]) == RemoteWriteRequest())
        #expect(try self.decode(PushedBody.body([PushedBody.Series(["a": "b"], [:])])) == RemoteWriteRequest())
    }

    private static let unusable: [(KeyValuePairs<String, String>, String)] = [
        (["a": "b"], "__name__ is missing"), (["__name__": ""], "no metric name"),
        (["__name__": "1m"], "no metric name"),
        (["__name__": "m", "": "b"], "'' is no label name"), (["__name__": "m", "水": "b"], "no label name"),
        (["__name__": "m", "a": "1", "a": "2"], "'a' is there twice"),
        (["__name__": "m", "a": "", "b": "", "__name__": "n"], "'__name__' is there twice"),
    ]

    @Test(arguments: RemoteWriteCodecTests.unusable)
    func refusesASeriesWithoutUsableLabelsAndTakesTheOthers(
        labels: KeyValuePairs<String, String>,
        problem: String
    ) throws {
        let good = PushedBody.Series(["__name__": "m"], [Self.start: 1])
        let bad = PushedBody.Series(labels, [Self.start: 1, Self.start + 1: 2])
        let request = try self.decode(PushedBody.body([good, bad, good]))
        #expect(request.series.count == 2)
        let refusal = try #require(request.refusals.first)
        #expect(request.refusals.count == 1 && refusal.reason == .malformed && refusal.values == 2)
        #expect(refusal.detail.contains(problem), "\(refusal)")
    }

    @Test func listsRefusalsOnlyUpToALimit() throws {
        let bad = [PushedBody.Series](repeating: PushedBody.Series(["a": "b"], [Self.start: 1]), count: 5000)
        let refusals = try self.decode(PushedBody.body(bad)).refusals
        #expect(refusals.count <= DecodedMessage.listedRefusals + 1)
        #expect(refusals.reduce(0) { $0 + $1.values } == 5000)
    }

    @Test func saysThatALabelIsNotUTF8() {
        let label = PushedBody.field(1, Array("__name__".utf8)) + PushedBody.field(2, [0x6D, 0xFF])
        let body = PushedBody.snappy(PushedBody.field(1, PushedBody.field(1, label)))
        #expect(self.error(body)?.code == .malformed)
        #expect(self.error(body)?.message.contains("not UTF-8") == true)
    }

    @Test func saysThatABodyIsNoSnappyBlock() {
        for body in [[], [0x80], Array("{\"metric\":{}}".utf8), [0xFF, 6, 0, 0] + Array("sNaPpY".utf8), [200, 1, 0]] {
            #expect(self.error(body)?.code == .malformed, "\(body)")
            #expect(self.error(body)?.message.contains("snappy") == true, "\(body)")
        }
    }

    @Test func saysThatTheTextIsNoWriteRequest() {
        let text = PushedBody.request([PushedBody.Series(["__name__": "m"], [Self.start: 1])])
        let others: [[UInt8]] = [Array("hello, world".utf8), [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x07]]
        for bytes in others + [Array(text.dropLast())] {
            #expect(self.error(PushedBody.snappy(bytes))?.code == .malformed, "\(bytes)")
            #expect(self.error(PushedBody.snappy(bytes))?.message.contains("WriteRequest") == true, "\(bytes)")
        }
    }

    /// Whatever is cut or flipped, the answer is a request or an error.
    @Test func survivesDamage() throws {
        let whole = Self.bytes(ofHex: Self.vector)
        for length in 0..<whole.count {
            #expect(self.error(Array(whole.prefix(length)))?.code == .malformed, "cut at \(length)")
        }
        var random = SeededGenerator(seed: 11)
        var read = 0
        for _ in 0..<5000 {
            var body = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if self.error(body) == nil { read += 1 }
        }
        #expect(read > 0 && read < 5000)
    }

    @Test func refusesABombByTheLengthThatItClaims() {
        let claims = PushedBody.varint(UInt64(RemoteWriteCodec.maximumMessage) + 1) + [0]
        #expect(self.error(claims)?.code == .tooLarge)
        #expect(self.error(PushedBody.varint(0xFFFF_FFFF) + [0])?.code == .tooLarge)
        // A length that may be, but is not there.
        #expect(self.error(PushedBody.varint(UInt64(RemoteWriteCodec.maximumMessage)) + [0])?.code == .malformed)
        let long = [UInt8](repeating: 0, count: RemoteWriteCodec.maximumBody + 1)
        #expect(self.error(long)?.code == .tooLarge)
    }

    /// Two bytes each on the way, some fifty in memory.
    @Test(arguments: [true, false])
    func refusesARequestOfTooManyEmptyParts(inOneSeries: Bool) {
        let empty = (0...RemoteWriteCodec.maximumParts).flatMap { _ in [0x0A, 0] as [UInt8] }
        let error = self.error(PushedBody.snappy(inOneSeries ? PushedBody.field(1, empty) : empty))
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("fewer samples") == true)
    }
}
