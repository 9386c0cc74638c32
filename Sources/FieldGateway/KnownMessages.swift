// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry

/// The newest messages of one station, by which one that comes again, or over a second way, is recognised.
struct KnownMessages {
    /// How many are remembered.
    static let limit = 64

    /// What makes two messages the same: number and time of sending, and their bytes.
    struct Key: Hashable {
        var function: UInt8
        var head: SL651Head?
        /// Of the bodies without the envelope, which may name another centre on the second way.
        private var length: Int
        private var hash: Int

        init(function: UInt8, head: SL651Head?, content: [UInt8]) {
            self.function = function
            self.head = head
            self.length = content.count
            self.hash = content.hashValue
        }
    }

    enum State: Equatable {
        case new
        /// On its way to the broker.
        case pending
        case acknowledged
    }

    private var states: [Key: State] = [:]
    private var order: [Key] = []

    func state(of key: Key) -> State { self.states[key] ?? .new }

    mutating func begin(_ key: Key) {
        guard self.states.updateValue(.pending, forKey: key) == nil else { return }
        self.order.append(key)
        while self.order.count > Self.limit { self.states[self.order.removeFirst()] = nil }
    }

    mutating func acknowledge(_ key: Key) {
        guard self.states[key] != nil else { return }
        self.states[key] = .acknowledged
    }

    /// It did not reach the broker; when it comes again it is new.
    mutating func forget(_ key: Key) {
        self.states[key] = nil
        self.order.removeAll { $0 == key }
    }
}
