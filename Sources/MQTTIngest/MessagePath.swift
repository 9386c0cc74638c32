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
    private var sl651: SL651Codec
    private var hj212: HJ212Codec
    private var decoded = DecodedMessage()
    private var routes: [UInt64: CachedRoute] = [:]

    init(payloadLimit: Int) {
        self.native = NativeJSONCodec(limit: payloadLimit)
        self.sl651 = SL651Codec(limit: payloadLimit)
        self.hj212 = HJ212Codec(limit: payloadLimit)
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
        case .sl651:
            self.sl651.now = batch.receivedAt
            self.sl651.decode(payload, into: &self.decoded)
        case .hj212:
            self.hj212.dialect = resolver.hj212Dialect(of: cached.route.device)
            self.hj212.decode(payload, into: &self.decoded)
        case .unspoken(let advice):
            let codec = UnspokenFormat(advice: advice)
            codec.decode(payload, into: &self.decoded)
        }
        if !self.decoded.senders.isEmpty { self.refuseOthers(than: cached.route.device, resolver: resolver) }
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

    /// A frame may hold values of another device than the topic's: they are refused, so that nobody writes for others.
    private mutating func refuseOthers(than device: String, resolver: any ReadingResolver) {
        for index in self.decoded.senders.indices.reversed() {
            let sender = self.decoded.senders[index]
            guard case .address(let address) = sender.name,
                var refusal = resolver.mismatch(of: address, with: device)
            else { continue }
            let end =
                index + 1 < self.decoded.senders.count
                ? self.decoded.senders[index + 1].firstReading : self.decoded.readings.count
            // A frame without values is refused as a whole.
            refusal.values = max(end - sender.firstReading, 1)
            guard end > sender.firstReading || self.decoded.readings.isEmpty else { continue }
            self.decoded.readings.removeSubrange(sender.firstReading..<end)
            let count = end - sender.firstReading
            for later in self.decoded.senders.indices where later > index {
                self.decoded.senders[later].firstReading -= count
            }
            self.decoded.refuse(refusal)
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
