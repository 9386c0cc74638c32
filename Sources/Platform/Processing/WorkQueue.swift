// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A first-in-first-out queue from many threads to one, with a mark at which those who can wait should.
///
/// Putting never blocks, because it happens under other locks; ``waitForRoom()`` before the work that leads to it is the
/// back-pressure. So the queue is at most as much above its capacity as there are threads between the two.
final class WorkQueue<Item: Sendable>: @unchecked Sendable {  // every access to the state holds `condition`
    private let condition = NSCondition()
    private let capacity: Int
    private var items: [Item] = []
    private var isClosed = false

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Waits until fewer than `capacity` items are there, or the queue is closed.
    func waitForRoom() {
        self.condition.lock()
        while self.items.count >= self.capacity, !self.isClosed { self.condition.wait() }
        self.condition.unlock()
    }

    /// The same, but no longer than until a moment.
    ///
    /// - Returns: Whether there is room, or the queue is closed.
    func waitForRoom(until end: Date) -> Bool {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.items.count >= self.capacity, !self.isClosed {
            guard self.condition.wait(until: end) else { return self.items.count < self.capacity || self.isClosed }
        }
        return true
    }

    /// Appends.
    ///
    /// - Returns: False after ``close()``; the item was not taken.
    @discardableResult
    func put(_ item: Item) -> Bool {
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

    /// Takes those items out of turn that satisfy a condition; the others keep their order.
    func take(where isWanted: (Item) -> Bool) -> [Item] {
        self.condition.lock()
        defer { self.condition.unlock() }
        guard !self.items.isEmpty else { return [] }
        let taken = self.items.filter(isWanted)
        guard !taken.isEmpty else { return [] }
        self.items.removeAll(where: isWanted)
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
}
