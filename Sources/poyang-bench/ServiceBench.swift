// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest

/// A broker and a service over made-up sites, in a folder that goes with them.
struct ServiceBench {
    let folder: URL
    let broker: EmbeddedBroker
    let service: ServiceProcess

    /// Starts both, calls `body` and stops them.
    ///
    /// - Parameters:
    ///   - sites: Registered before the start.
    ///   - program: Of the service; nil for the one beside this program.
    ///   - rules: A folder or file of rules.
    ///   - body: Measures.
    /// - Throws: What keeps them from starting, or what `body` throws.
    static func run(
        _ sites: RiverSites,
        program: String?,
        rules: String,
        _ body: (ServiceBench) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("poyang-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let devices = folder.appendingPathComponent("Devices")
        try sites.write(to: devices)
        let broker = try EmbeddedBroker(EmbeddedBroker.Options(directory: folder.appendingPathComponent("broker")))
        defer { broker.stop() }
        let service = try ServiceProcess(
            program: try program ?? ServiceProcess.programBeside("poyang"),
            directory: folder,
            devices: devices,
            rules: rules,
            brokerPort: broker.address.port
        )
        defer { service.stop() }
        try body(ServiceBench(folder: folder, broker: broker, service: service))
    }
}
