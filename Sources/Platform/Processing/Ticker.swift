// poyang
// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle

/// Reminds the rules of the wall clock, so that silence and timers are noticed without readings.
struct Ticker: Service {
    let processor: Processor
    /// Why no reading can come from the broker; nil while it is subscribed to.
    let brokerFault: @Sendable () -> String?

    /// Twice a second, so that a timer of the wall clock is at most that late.
    private static let interval = Duration.milliseconds(500)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: Self.interval)
                self.processor.tick(brokerFault: self.brokerFault())
            }
        }
    }
}
