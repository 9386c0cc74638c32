// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// A message that was refused, on its way again, as if it had come at its topic for the first time.
package struct RefusedMessage {
    /// What is taken of it now.
    package let readings: [ResolvedReading]
    /// The same with the devices that sent it, revisions too.
    package let parts: [WatchedMessage.Part]
    /// What is still refused.
    package let refusals: [Refusal]

    /// The payloads with other packets of a message that is whole now.
    package let settled: [QuarantinedName]

    /// Times are compared with the first receipt; a value without a time of its own is of that moment.
    ///
    /// - Parameters:
    ///   - payload: As it was kept, whole.
    ///   - earlier: What is kept of its topic and came before it, in that order: what waits for other packets is read with it.
    ///   - resolver: Knows the devices as they are now.
    package init(_ payload: QuarantinedPayload, after earlier: [QuarantinedPayload] = [], resolver: any ReadingResolver)
    {
        var path = MessagePath(payloadLimit: QuarantinedPayload.keptBytes)
        for packet in earlier where packet.isWaiting {
            let batch = path.take(packet, resolver: resolver)
            // It was stored when it came.
            resolver.forget(batch.readings)
        }
        path.notesParts = true
        let batch = path.take(payload, resolver: resolver)
        self.readings = batch.readings
        self.settled = batch.settled
        self.parts = path.parts
        self.refusals = batch.quarantined.flatMap(\.refusals)
    }
}

extension MessagePath {
    fileprivate mutating func take(_ payload: QuarantinedPayload, resolver: any ReadingResolver) -> ReadingBatch {
        var batch = ReadingBatch(receivedAt: payload.receivedAt)
        let (topic, bytes) = (payload.topic, payload.payload)
        self.take(
            topic: topic.utf8Span.span,
            topicHash: 0,
            payload: bytes.span,
            // A retained message without a time was refused for that, and is not younger now.
            isRetained: payload.refusals.contains { $0.reason == .timeInvalid },
            resolver: resolver,
            into: &batch
        )
        return batch
    }
}
