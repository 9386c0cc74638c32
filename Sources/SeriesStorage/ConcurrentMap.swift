// poyang
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

extension Array where Element: Sendable {
    /// `compactMap` on all cores: parts of the array in turn, the results in order.
    ///
    /// - Throws: What `body` throws, of several the first that came; the parts that have not begun are left out then.
    func concurrentCompactMap<Result: Sendable>(
        _ body: @Sendable (Element) throws -> Result?
    ) throws -> [Result] {
        // Several parts per core, because series are not of one length.
        let size = Swift.max(1, self.count / 32)
        let parts = (self.count + size - 1) / size
        let done = Mutex<(results: [Int: [Result]], error: (any Error)?)>(([:], nil))
        DispatchQueue.concurrentPerform(iterations: parts) { part in
            guard done.withLock({ $0.error == nil }) else { return }
            do {
                let slice = self[part * size..<Swift.min((part + 1) * size, self.count)]
                let results = try slice.compactMap(body)
                done.withLock { $0.results[part] = results }
            } catch {
                done.withLock { $0.error = $0.error ?? error }
            }
        }
        let (results, error) = done.withLock { ($0.results, $0.error) }
        if let error { throw error }
        return (0..<parts).flatMap { results[$0] ?? [] }
    }
}
