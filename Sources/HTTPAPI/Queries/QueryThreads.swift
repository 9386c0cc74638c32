// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Telemetry

/// The threads on which queries are evaluated and written: as many as there are cores, and below all others in priority,
/// so that whoever asks takes only what ingest and rules leave.
///
/// One query alone is shared by all of them; of many each works on its own.
package final class QueryThreads: Workers {
    private let queue = JobQueue()
    /// What a query calls between two series; nil where it need not give way.
    let pause: (@Sendable () -> Void)?

    /// - Parameters:
    ///   - count: Of threads.
    ///   - niceness: 0 … 19, higher waits longer (nice(1)).
    package init(count: Int = ProcessInfo.processInfo.activeProcessorCount, niceness: Int32 = 0) {
        let queue = self.queue
        self.pause = niceness > 0 ? GivingWay.pause : nil
        for number in 0..<max(1, count) {
            let thread = Thread { () -> Void in
                Thread.current.name = "query \(number)"
                yieldToOthers(niceness)
                while let job = queue.take() { job() }
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    deinit { self.queue.close() }

    /// Runs `work` on one of the threads.
    package func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            self.put { continuation.resume(with: .init { try work() }) }
        }
    }

    /// Runs `work` on one of the threads, when its turn comes.
    func put(_ work: @escaping @Sendable () -> Void) { self.queue.put(isPart: false, work) }

    package func perform(parts: Int, _ body: @Sendable (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            let work = SharedWork(parts: parts, body)
            for _ in 1..<max(1, min(parts, ProcessInfo.processInfo.activeProcessorCount)) {
                self.queue.put(isPart: true) { work.help() }
            }
            work.help()
            work.waitForHelpers()
        }
    }
}

/// The parts of one piece of work, taken by whoever is free.
private final class SharedWork: @unchecked Sendable {  // every access to the state holds `condition`
    private let condition = NSCondition()
    private let parts: Int
    private var next = 0
    private var active = 0
    /// Gone when the work is done: a helper that comes too late finds nothing.
    private var body: (@Sendable (Int) -> Void)?

    init(parts: Int, _ body: @escaping @Sendable (Int) -> Void) {
        self.parts = parts
        self.body = body
    }

    /// Works on parts until none is left.
    func help() {
        self.condition.lock()
        while self.next < self.parts, let body = self.body {
            let part = self.next
            self.next += 1
            self.active += 1
            self.condition.unlock()
            body(part)
            self.condition.lock()
            self.active -= 1
        }
        if self.active == 0 { self.condition.broadcast() }
        self.condition.unlock()
    }

    func waitForHelpers() {
        self.condition.lock()
        while self.active > 0 { self.condition.wait() }
        self.body = nil
        self.condition.unlock()
    }
}

/// What waits for a thread; parts of work that has begun come first.
private final class JobQueue: @unchecked Sendable {  // every access to the state holds `condition`
    private let condition = NSCondition()
    private var parts: [@Sendable () -> Void] = []
    private var jobs: [@Sendable () -> Void] = []
    private var isClosed = false

    func put(isPart: Bool, _ job: @escaping @Sendable () -> Void) {
        self.condition.lock()
        if isPart { self.parts.append(job) } else { self.jobs.append(job) }
        self.condition.signal()
        self.condition.unlock()
    }

    /// Waits for a job; nil when there will be none any more.
    func take() -> (@Sendable () -> Void)? {
        self.condition.lock()
        defer { self.condition.unlock() }
        while self.parts.isEmpty, self.jobs.isEmpty {
            if self.isClosed { return nil }
            self.condition.wait()
        }
        return self.parts.isEmpty ? self.jobs.removeFirst() : self.parts.removeLast()
    }

    func close() {
        self.condition.lock()
        self.isClosed = true
        self.condition.broadcast()
        self.condition.unlock()
    }
}
