// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One message as somebody who watches a device sees it: what came, and what became of it.
package struct WatchedMessage: Sendable {
    /// Of a payload so many bytes are shown.
    package static let shownBytes = 4096

    package var topic: String
    package var receivedAt: Timestamp
    /// The first ``shownBytes``.
    package var payload: [UInt8]
    /// Bytes of the payload as it came.
    package var length: Int
    /// The values that were taken, in canonical units, with the flags of their tests.
    package var values: [ResolvedReading]
    /// What was refused, and why.
    package var refusals: [Refusal]
    /// The device that the refusals are kept under; empty where nothing was refused.
    package var refusedOf: String

    package init(
        topic: String,
        receivedAt: Timestamp,
        payload: [UInt8],
        length: Int,
        values: [ResolvedReading],
        refusals: [Refusal],
        refusedOf: String
    ) {
        self.topic = topic
        self.receivedAt = receivedAt
        self.payload = payload
        self.length = length
        self.values = values
        self.refusals = refusals
        self.refusedOf = refusedOf
    }
}

/// By what a message is recognised as a device's.
package struct WatchedDevice: Hashable, Sendable {
    package var id: String
    /// Its id, its name and the forms of its foreign identity, any of which may be a level of a topic.
    package var names: Set<String>
    /// The series that it feeds: a gateway's message names its devices only inside.
    package var series: Set<Labels>

    package init(id: String, names: Set<String>, series: Set<Labels>) {
        self.id = id
        self.names = names
        self.series = series
    }

    func sent(_ message: WatchedMessage) -> Bool {
        if message.refusedOf == self.id { return true }
        let levels = message.topic.split(separator: "/").lazy.map { $0.uppercased() }
        if levels.contains(where: { self.names.contains($0) }) { return true }
        return message.values.contains { self.series.contains($0.series.labels) }
    }
}

/// Lets people see the messages of a device while they come in.
///
/// Costs one load of an atomic number a message while nobody watches. A follower that is slow misses the oldest of the
/// messages that wait for it.
package final class DeviceTap: Sendable {
    /// Messages that wait for one follower.
    package static let waiting = 256

    private struct Follower {
        var device: WatchedDevice
        var continuation: AsyncStream<WatchedMessage>.Continuation
    }

    private struct State {
        var followers: [Int: Follower] = [:]
        var next = 0
        var isClosed = false
    }

    private let count = Atomic<Int>(0)
    private let state = Mutex(State())

    package init() {}

    /// Whether anybody watches at all.
    package var isWatched: Bool { self.count.load(ordering: .relaxed) > 0 }

    /// Hands committed messages to those who watch their devices; never waits.
    package func offer(_ messages: [WatchedMessage]) {
        guard !messages.isEmpty else { return }
        let followers = self.state.withLock { Array($0.followers.values) }
        for message in messages {
            for follower in followers where follower.device.sent(message) { follower.continuation.yield(message) }
        }
    }

    /// The messages of a device from now on, until ``close()``.
    package func follow(_ device: WatchedDevice) -> AsyncStream<WatchedMessage> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: WatchedMessage.self,
            bufferingPolicy: .bufferingNewest(Self.waiting)
        )
        let id = self.state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.next += 1
            state.followers[state.next] = Follower(device: device, continuation: continuation)
            self.count.store(state.followers.count, ordering: .relaxed)
            return state.next
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            guard let self else { return }
            self.state.withLock { state in
                state.followers[id] = nil
                self.count.store(state.followers.count, ordering: .relaxed)
            }
        }
        return stream
    }

    /// Ends all followers' streams, now and in future; for shutdown.
    package func close() {
        let followers = self.state.withLock { state in
            state.isClosed = true
            return Array(state.followers.values)
        }
        for follower in followers { follower.continuation.finish() }
    }
}
