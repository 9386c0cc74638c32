// poyang
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Those who share the parts of a piece of work.
package protocol Workers: Sendable {
    /// Calls `body` with 0 ..< `parts`, several at once; returns when all have come back.
    func perform(parts: Int, _ body: @Sendable (Int) -> Void)
}

/// All cores of the machine, by way of Dispatch.
package struct AllCores: Workers {
    package init() {}

    package func perform(parts: Int, _ body: @Sendable (Int) -> Void) {
        DispatchQueue.concurrentPerform(iterations: parts, execute: body)
    }
}

extension Workers {
    /// What `body` makes of 0 ..< `count`, in parts of consecutive numbers; the results in order.
    ///
    /// - Throws: What `body` throws, of several the first that came; the parts that have not begun are left out then.
    package func map<Result: Sendable, Failure: Error>(
        _ count: Int,
        _ body: @Sendable (Range<Int>) throws(Failure) -> Result
    ) throws(Failure) -> [Result] {
        // Several parts per core, because one number may take much longer than another.
        let size = max(1, (count + 31) / 32)
        let parts = (count + size - 1) / size
        let done = Mutex<(results: [Result?], error: Failure?)>((Array(repeating: nil, count: parts), nil))
        self.perform(parts: parts) { part in
            guard done.withLock({ $0.error == nil }) else { return }
            do throws(Failure) {
                let result = try body(part * size..<min((part + 1) * size, count))
                done.withLock { $0.results[part] = result }
            } catch {
                done.withLock { $0.error = $0.error ?? error }
            }
        }
        let (results, error) = done.withLock { ($0.results, $0.error) }
        if let error { throw error }
        return results.compactMap { $0 }
    }
}
