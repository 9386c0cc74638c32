// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A bounded first-in-first-out queue from many threads to one.
///
/// Putting blocks while it is full: that is the back-pressure that holds acknowledgements back when the rules lag.
final class WorkQueue<Item: Sendable>: @unchecked Sendable {  // every access to the state holds `condition`
    private let condition = NSCondition()
    private let capacity: Int
    private var items: [Item] = []
    private var isClosed = false

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Waits for room, then appends.
    ///
    /// - Returns: False after ``close()``; the item was not taken.
    @discardableResult
    func put(_ item: Item) -> Bool {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.items.count >= self.capacity, !self.isClosed { self.condition.wait() }
        guard !self.isClosed else { return false }
        self.items.append(item)
        self.condition.broadcast()
        return true
    }

    /// Appends without waiting; for the few things that must not wait behind a full queue.
    @discardableResult
    func putAtOnce(_ item: Item) -> Bool {
        self.condition.lock()
        defer { self.condition.unlock() }
        guard !self.isClosed else { return false }
        self.items.append(item)
        self.condition.broadcast()
        return true
    }

    /// Waits until something is there and takes all of it; empty only after ``close()``.
    func takeAll() -> [Item] {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.items.isEmpty, !self.isClosed { self.condition.wait() }
        let taken = self.items
        self.items.removeAll(keepingCapacity: true)
        self.condition.broadcast()
        return taken
    }

    /// No more is taken in; what is there can still be taken out.
    func close() {
        self.condition.lock()
        self.isClosed = true
        self.condition.broadcast()
        self.condition.unlock()
    }

    var count: Int {
        self.condition.lock()
        defer { self.condition.unlock() }
        return self.items.count
    }
}
