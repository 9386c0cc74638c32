// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Take stations in that speak protocols of their own, and publish what they send.",
        subcommands: [GatewaySL651.self]
    )
}
