// poyang
// SPDX-License-Identifier: Apache-2.0

package import Synchronization

/// One value as a device sent it, before anybody knows which series it belongs to.
package struct Reading: Hashable, Sendable {
    /// The payload's own name for the measurand.
    package var key: String
    /// In the payload's unit.
    package var value: Double
    /// Event time, if the payload has one.
    package var time: Timestamp?
    package var quality: Quality?
    package var method: Method
    package var isSimulated: Bool

    package init(
        key: String,
        value: Double,
        time: Timestamp? = nil,
        quality: Quality? = nil,
        method: Method = .measured,
        isSimulated: Bool = false
    ) {
        self.key = key
        self.value = value
        self.time = time
        self.quality = quality
        self.method = method
        self.isSimulated = isSimulated
    }
}

/// Why a value or a payload was not stored; bounded, so it may be a metric label.
package enum QuarantineReason: String, CaseIterable, Sendable, Codable {
    case malformed
    case tooLarge = "too_large"
    case unknownDevice = "unknown_device"
    case unknownChannel = "unknown_channel"
    case wrongAddress = "wrong_address"
    case notANumber = "not_a_number"
    case outOfRange = "out_of_range"
    case timeFuture = "time_future"
    case timeInvalid = "time_invalid"
}

/// One value, or a whole payload, that was refused.
package struct Refusal: Hashable, Sendable {
    package var reason: QuarantineReason
    /// What is wrong and what would be right, for a device engineer.
    package var detail: String
    /// The key of the value; nil when the payload as a whole was refused.
    package var key: String?
    /// How many values this refusal stands for; 1 for a payload that could not be decoded, 0 for one whose values may still come.
    package var values: Int

    package init(reason: QuarantineReason, detail: String, key: String? = nil, values: Int = 1) {
        self.reason = reason
        self.detail = detail
        self.key = key
        self.values = values
    }
}

/// The identity of a series while it is on its way to the store.
///
/// The catalogue makes one per channel and keeps it, so that the store finds the series' number by reference.
package final class SeriesKey: Sendable {
    package let labels: Labels
    /// What the store that saw the key last wrote on it for itself, its own tag and the series' number; 0 before.
    package let storeNote = Atomic<UInt64>(0)

    package init(labels: Labels) {
        self.labels = labels
    }
}

/// A reading whose series is known.
package struct ResolvedReading: Sendable {
    package var series: SeriesKey
    package var sample: Sample
    /// False when the payload had no time: `sample.time` is then the receive time, and the journal moves it to the
    /// next millisecond that is free in its series.
    package var hasOwnTime: Bool
    /// Whether it is no new value, but another quality of the one that is stored: same time, same value.
    ///
    /// Where there is none of that time and value any more, it says nothing.
    package var isRevision: Bool

    package init(series: SeriesKey, sample: Sample, hasOwnTime: Bool, isRevision: Bool = false) {
        self.series = series
        self.sample = sample
        self.hasOwnTime = hasOwnTime
        self.isRevision = isRevision
    }
}

/// A refused payload, kept whole beside the values of it that were stored.
package struct QuarantinedPayload: Hashable, Sendable {
    /// Of a refused payload so many bytes are kept.
    package static let keptBytes = 64 << 10

    /// For what did not come over MQTT its path, and who sent it.
    package var topic: String
    /// Empty where the topic names none.
    package var device: String
    package var receivedAt: Timestamp
    /// The first ``keptBytes``.
    package var payload: [UInt8]
    /// Length of the payload as it came.
    package var length: Int
    /// SHA-256 of the payload as it came, in hexadecimal.
    package var sha256: String
    package var refusals: [Refusal]

    /// Whether no value of it was refused: it holds packets of messages whose other packets had not come.
    package var isWaiting: Bool { self.refusals.allSatisfy { $0.values == 0 } }

    package init(
        topic: String,
        device: String,
        receivedAt: Timestamp,
        payload: [UInt8],
        length: Int,
        sha256: String,
        refusals: [Refusal]
    ) {
        self.topic = topic
        self.device = device
        self.receivedAt = receivedAt
        self.payload = payload
        self.length = length
        self.sha256 = sha256
        self.refusals = refusals
    }
}

/// A payload in quarantine, as whoever put it there knows it.
package struct QuarantinedName: Hashable, Sendable {
    package var device: String
    package var sha256: String

    package init(device: String, sha256: String) {
        self.device = device
        self.sha256 = sha256
    }
}

/// What identifies one MQTT delivery until the broker forgets it: packet id and payload hash.
package struct Delivery: Hashable, Sendable {
    /// MQTT packet identifier, 1…65535; 0 for QoS 0.
    package var packetID: UInt16
    /// A 64-bit hash of topic and payload, stable across processes.
    package var hash: UInt64

    package init(packetID: UInt16, hash: UInt64) {
        self.packetID = packetID
        self.hash = hash
    }
}

/// The unit of work: what was read from one socket in one go.
package struct ReadingBatch: Sendable {
    package var receivedAt: Timestamp
    package var readings: [ResolvedReading] = []
    package var quarantined: [QuarantinedPayload] = []
    /// Payloads to be taken out of quarantine again: all their values are in this batch.
    package var settled: [QuarantinedName] = []
    /// Numbers of payloads in quarantine whose values are among the readings; they leave it with the commit.
    package var released: [Int64] = []
    package var deliveries: [Delivery] = []
    /// Messages that the batch holds, whatever became of them.
    package var messages = 0

    package init(receivedAt: Timestamp) {
        self.receivedAt = receivedAt
    }

    package var isEmpty: Bool { self.messages == 0 && self.readings.isEmpty && self.quarantined.isEmpty }
}

/// Where batches go to become durable.
package protocol ReadingSink: AnyObject, Sendable {
    /// Returns when the batch is on disk, fsync included. The caller may acknowledge after that, and only after that.
    ///
    /// Blocks while too many batches wait for the rules, so that memory stays bounded.
    ///
    /// - Throws: When nothing of the batch was committed; the caller gives the batch up and reads it again.
    func commit(_ batch: ReadingBatch) throws

    /// The deliveries of the newest batches, oldest first; those that a broker may send again after a reconnect.
    func recentDeliveries() throws -> [Delivery]
}
