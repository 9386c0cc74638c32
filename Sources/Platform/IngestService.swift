// poyang
// SPDX-License-Identifier: Apache-2.0

import MQTTIngest
import ServiceLifecycle

/// The life of ingest inside the service group: the last to start, the first to stop.
struct IngestService: Service {
    let ingest: Ingest
    let processor: Processor
    /// Our own broker, stopped after ingest has said good-bye to it.
    let broker: EmbeddedBroker?

    func run() async throws {
        // What was committed before the start comes first.
        await self.processor.caughtUp()
        if !Task.isShuttingDownGracefully { self.ingest.start() }
        try? await gracefulShutdown()
        self.ingest.stop()
        self.broker?.stop()
    }
}
