// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Platform

/// The queue between the journal and the rules keeps its order and holds back those who are too quick.
struct WorkQueueTests {
    @Test
    func givesBackInTheOrderOfThePuts() {
        let queue = WorkQueue<Int>(capacity: 2)
        for item in 0..<5 { #expect(queue.put(item)) }
        #expect(queue.takeAll() == [0, 1, 2, 3, 4])
    }

    @Test
    func whatIsThereAtTheCloseIsStillGivenAndNothingIsTakenAfterIt() {
        let queue = WorkQueue<Int>(capacity: 2)
        queue.put(1)
        queue.close()
        #expect(!queue.put(2))
        #expect(queue.takeAll() == [1])
        #expect(queue.takeAll().isEmpty)
    }

    @Test(.timeLimit(.minutes(1)))
    func aFullQueueHoldsTheNextCommitUntilTheRulesTookSome() async throws {
        let queue = WorkQueue<Int>(capacity: 2)
        queue.put(1)
        queue.put(2)
        let hasRoom = Mutex(false)
        let waiting = AsyncStream.makeStream(of: Void.self)
        Thread.detachNewThread { [queue] in
            queue.waitForRoom()
            hasRoom.withLock { $0 = true }
            waiting.continuation.finish()
        }
        #expect(!hasRoom.withLock { $0 })
        #expect(queue.takeAll() == [1, 2])
        for await _ in waiting.stream {}
        #expect(hasRoom.withLock { $0 })
    }

    @Test(.timeLimit(.minutes(1)))
    func theCloseFreesThoseWhoWait() async throws {
        let queue = WorkQueue<Int>(capacity: 1)
        queue.put(1)
        let waiting = AsyncStream.makeStream(of: Void.self)
        Thread.detachNewThread { [queue] in
            queue.waitForRoom()
            waiting.continuation.finish()
        }
        queue.close()
        for await _ in waiting.stream {}
    }
}
