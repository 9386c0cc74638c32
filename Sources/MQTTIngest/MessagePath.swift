// poyang
// SPDX-License-Identifier: Apache-2.0

import Crypto
import PayloadCodecs
import Telemetry

/// The way of one message into a batch: topic → device and codec → readings → series, and what is refused on the way.
struct MessagePath {
    /// Topics remembered; beyond that the memory begins anew.
    private static let cachedRoutes = 16_384

    private struct CachedRoute {
        var topic: String
        var route: TopicMap.Route
    }

    private var native: NativeJSONCodec
    private var decoded = DecodedMessage()
    private var routes: [UInt64: CachedRoute] = [:]

    init(payloadLimit: Int) {
        self.native = NativeJSONCodec(limit: payloadLimit)
    }

    /// Decodes and resolves one message; every value of it is in the batch afterwards, accepted or refused.
    mutating func take(
        topic: Span<UInt8>,
        topicHash: UInt64,
        payload: Span<UInt8>,
        isRetained: Bool,
        resolver: any ReadingResolver,
        into batch: inout ReadingBatch
    ) {
        let cached = self.route(topic, topicHash)
        switch cached.route.format {
        case .nativeJSON:
            self.native.decode(payload, into: &self.decoded)
        case .unspoken(let advice):
            let codec = UnspokenFormat(advice: advice)
            codec.decode(payload, into: &self.decoded)
        }
        if isRetained { self.refuseTimeless() }
        if !self.decoded.readings.isEmpty {
            let refusals = resolver.resolve(
                device: cached.route.device,
                readings: self.decoded.readings,
                receivedAt: batch.receivedAt,
                into: &batch.readings
            )
            for refusal in refusals { self.decoded.refuse(refusal) }
        }
        if !self.decoded.refusals.isEmpty {
            batch.quarantined.append(self.quarantine(payload, cached, receivedAt: batch.receivedAt))
        }
    }

    /// A retained message was published at some time before; without a time of its own it is no reading.
    private mutating func refuseTimeless() {
        let count = self.decoded.readings.count
        self.decoded.readings.removeAll { $0.time == nil }
        let refused = count - self.decoded.readings.count
        guard refused > 0 else { return }
        self.decoded.refuse(
            Refusal(
                reason: .timeInvalid,
                detail: "a retained message without ts: nobody knows when it was measured; publish readings with the "
                    + "retain flag off, or with ts",
                values: refused
            )
        )
    }

    private func quarantine(
        _ payload: Span<UInt8>,
        _ cached: CachedRoute,
        receivedAt: Timestamp
    ) -> QuarantinedPayload {
        var digest = SHA256()
        unsafe payload.bytes.withUnsafeBytes { unsafe digest.update(bufferPointer: $0) }
        let kept = min(payload.count, QuarantinedPayload.keptBytes)
        var copy: [UInt8] = []
        copy.reserveCapacity(kept)
        for index in 0..<kept { copy.append(payload[index]) }
        return QuarantinedPayload(
            topic: cached.topic,
            device: cached.route.device,
            receivedAt: receivedAt,
            payload: copy,
            length: payload.count,
            sha256: hexadecimal(digest.finalize()),
            refusals: self.decoded.refusals
        )
    }

    private mutating func route(_ topic: Span<UInt8>, _ hash: UInt64) -> CachedRoute {
        if let cached = self.routes[hash], isSame(cached.topic, topic) { return cached }
        var bytes: [UInt8] = []
        for index in topic.indices { bytes.append(topic[index]) }
        let text = String(decoding: bytes, as: UTF8.self)
        let cached = CachedRoute(topic: text, route: TopicMap.route(text))
        if self.routes.count >= Self.cachedRoutes { self.routes.removeAll() }
        self.routes[hash] = cached
        return cached
    }
}

private func isSame(_ text: String, _ bytes: Span<UInt8>) -> Bool {
    let known = text.utf8Span.span
    guard known.count == bytes.count else { return false }
    for index in known.indices where known[index] != bytes[index] { return false }
    return true
}

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
