// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One message as somebody who watches a device sees it: what came, and what became of it.
package struct WatchedMessage: Sendable {
    /// Of a payload so many bytes are shown.
    package static let shownBytes = 4096

    /// What a message holds of one device.
    package struct Part: Sendable {
        /// The registered device that it was resolved to; where there is none, the name that the sender used.
        package var device: String
        package var values: [ResolvedReading]
        package var refusals: [Refusal]

        package init(device: String, values: [ResolvedReading], refusals: [Refusal]) {
            self.device = device
            self.values = values
            self.refusals = refusals
        }
    }

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
    /// By device; what nobody can be said to have sent is in none.
    package var parts: [Part]
    /// Whether its format speaks for several devices, which may be of several orgs.
    package var isShared: Bool
    /// Whether the payload and what is of other devices were taken out.
    package private(set) var isPartial = false

    package init(
        topic: String,
        receivedAt: Timestamp,
        payload: [UInt8],
        length: Int,
        values: [ResolvedReading],
        refusals: [Refusal],
        parts: [Part],
        isShared: Bool
    ) {
        self.topic = topic
        self.receivedAt = receivedAt
        self.payload = payload
        self.length = length
        self.values = values
        self.refusals = refusals
        self.parts = parts
        self.isShared = isShared
    }

    /// Nothing but these parts, without the bytes in which others' values stand.
    fileprivate func reduced(to parts: [Part]) -> WatchedMessage {
        var message = self
        message.payload = []
        message.parts = parts
        message.values = parts.flatMap(\.values)
        message.refusals = parts.flatMap(\.refusals)
        message.isPartial = true
        return message
    }
}

/// By what a message is recognised as a device's, and how much of it may be seen.
package struct WatchedDevice: Hashable, Sendable {
    package var id: String
    package var site: String
    /// Its id, its name and the forms of its foreign identity, in capital letters.
    package var names: Set<String>
    /// The series that it feeds.
    package var series: Set<Labels>
    /// Whether those who watch may see what is of other orgs.
    package var seesAll: Bool

    package init(id: String, site: String, names: Set<String>, series: Set<Labels>, seesAll: Bool) {
        self.id = id
        self.site = site
        self.names = names
        self.series = series
        self.seesAll = seesAll
    }

    /// The message as those who watch may see it; nil where it is not the device's.
    ///
    /// A message is the device's where it was resolved to it, or holds a value of its series. Those who may see all are
    /// shown it as it came, and also what nobody was found for that was sent under one of the device's names. Others are
    /// shown the device's own values and refusals where the message may hold more than that.
    package func view(of message: WatchedMessage) -> WatchedMessage? {
        if self.seesAll {
            let isOwn = message.parts.contains { part in
                part.device == self.id || self.names.contains(part.device.uppercased()) || self.feeds(part)
            }
            return isOwn ? message : nil
        }
        let own = message.parts.compactMap { part -> WatchedMessage.Part? in
            if part.device == self.id { return part }
            guard self.feeds(part) else { return nil }
            let values = part.values.filter { self.series.contains($0.series.labels) }
            return WatchedMessage.Part(device: part.device, values: values, refusals: [])
        }
        guard !own.isEmpty else { return nil }
        let isWhole =
            !message.isShared && own.count == message.parts.count
            && message.values.allSatisfy { $0.series.labels.site == self.site }
        return isWhole ? message : message.reduced(to: own)
    }

    private func feeds(_ part: WatchedMessage.Part) -> Bool {
        part.values.contains { self.series.contains($0.series.labels) }
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
            for follower in followers {
                if let view = follower.device.view(of: message) { follower.continuation.yield(view) }
            }
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
