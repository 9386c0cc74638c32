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

    /// Times are compared with the first receipt; a value without a time of its own is of that moment.
    ///
    /// - Parameters:
    ///   - payload: As it was kept, whole.
    ///   - resolver: Knows the devices as they are now.
    package init(_ payload: QuarantinedPayload, resolver: any ReadingResolver) {
        var path = MessagePath(payloadLimit: QuarantinedPayload.keptBytes)
        path.notesParts = true
        var batch = ReadingBatch(receivedAt: payload.receivedAt)
        let (topic, bytes) = (payload.topic, payload.payload)
        path.take(
            topic: topic.utf8Span.span,
            topicHash: 0,
            payload: bytes.span,
            // A retained message without a time was refused for that, and is not younger now.
            isRetained: payload.refusals.contains { $0.reason == .timeInvalid },
            resolver: resolver,
            into: &batch
        )
        self.readings = batch.readings
        self.parts = path.parts
        self.refusals = batch.quarantined.flatMap(\.refusals)
    }
}
