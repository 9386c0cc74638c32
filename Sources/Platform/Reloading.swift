// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Foundation
import HTTPAPI
import Logging
import ServiceLifecycle
import UnixSignals

/// Loads devices and rules again on SIGHUP; what is wrong is logged, and nothing is changed then.
struct ReloadOnHangup: Service {
    let backend: PlatformBackend
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() { await self.backend.reload(loggingTo: self.logger) }
    }
}

/// The same when a file of rules was edited, as soon as nobody has touched them for two looks.
///
/// It looks instead of being told: that works on every file system, and for editors that put a new file in place of the
/// old one.
struct ReloadOnEdit: Service {
    let folder: String
    let backend: PlatformBackend
    let logger: Logger

    private static let interval = Duration.seconds(1)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var inForce = self.look() ?? [:]
            var before = inForce
            while true {
                try await Task.sleep(for: Self.interval)
                guard let present = self.look() else { continue }
                defer { before = present }
                guard present == before, present != inForce else { continue }
                inForce = present
                await self.backend.reload(loggingTo: self.logger)
            }
        }
    }

    /// Size and time of each rule file; nil where the folder cannot be read now.
    private func look() -> [String: String]? {
        guard let names = try? RuleFileLoader.ruleFiles(below: self.folder) else { return nil }
        var found: [String: String] = [:]
        for name in names {
            let facts = try? FileManager.default.attributesOfItem(atPath: "\(self.folder)/\(name)")
            found[name] = "\(facts?[.size] ?? 0) \((facts?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)"
        }
        return found
    }
}

extension PlatformBackend {
    fileprivate func reload(loggingTo logger: Logger) async {
        do {
            let report = try await self.reload(dryRun: false)
            logger.notice("reloaded", metadata: ["devices": "\(report.devices)", "rules": "\(report.rules)"])
        } catch {
            logger.error("not reloaded: nothing was changed", metadata: ["error": "\(error)"])
        }
    }
}
