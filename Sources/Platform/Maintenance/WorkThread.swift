// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs long blocking work on a thread of its own, so that it takes none of those that Swift's tasks share.
package func onThread<Result: Sendable>(
    _ name: String,
    _ work: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread {
            Thread.current.name = name
            continuation.resume(with: .init { try work() })
        }
        thread.start()
    }
}
