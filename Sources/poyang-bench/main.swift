// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The benchmarks that need a broker or a service; `ops/bench` runs them.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poyang-bench",
        abstract: "Measures poyang.",
        subcommands: [
            IngestCommand.self, LatencyCommand.self, RulesCommand.self, DecodeCommand.self, QualityCommand.self,
            PublishCommand.self,
            DataCommand.self,
        ]
    )
}

Bench.main()
