// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import DeviceCatalog
import EarlyWarning
import Foundation
import StrictYAML
import Telemetry

/// The files and the registry that say what is watched and by which rules.
struct Configuration: Sendable {
    let options: PlatformOptions
    let records: CatalogStore

    /// Reads all of it.
    ///
    /// - Throws: ``ProblemList`` with everything that is wrong in devices and rules together.
    func load(keys: SeriesKeyTable) throws -> (catalog: Catalog, rules: RuleSet) {
        var problems: [Problem] = []
        let catalog = try self.collect(&problems) { try self.catalog(keys: keys) }
        let rules = try self.collect(&problems) { try self.rules() }
        guard let catalog, let rules, problems.isEmpty else { throw ProblemList(problems) }
        return (catalog, rules)
    }

    /// The catalogue of files and registry; `adding` is checked with it although it is not on record yet, and the devices
    /// of `removing` are left out.
    func catalog(
        keys: SeriesKeyTable,
        adding: CatalogRegistrations = .none,
        removing: Set<String> = []
    ) throws -> Catalog {
        let files =
            try self.directoryExists(self.options.devicesDirectory, isDefault: "Devices")
            ? CatalogFiles.load(directory: self.options.devicesDirectory) : CatalogFiles.none
        var registered = try self.records.registrations()
        let sites = Set(adding.sites.map(\.id))
        let devices = Set(adding.devices.map(\.id))
        registered.sites.removeAll { sites.contains($0.id) }
        registered.devices.removeAll { devices.contains($0.id) || removing.contains($0.id) }
        registered.sites += adding.sites
        registered.devices += adding.devices
        return try Catalog(files: files, registered: registered, keys: keys)
    }

    private func rules() throws -> RuleSet {
        guard try self.directoryExists(self.options.rulesDirectory, isDefault: "Rules") else { return RuleSet() }
        return try RuleFileLoader().load(paths: [self.options.rulesDirectory])
    }

    /// The default folder may be missing; one that somebody named may not.
    private func directoryExists(_ path: String, isDefault name: String) throws -> Bool {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            return true
        }
        guard path == name else {
            throw ProblemList([
                Problem(file: path, line: 0, column: 0, message: "there is no such folder", zh: "没有此文件夹")
            ])
        }
        return false
    }

    private func collect<Value>(_ problems: inout [Problem], _ load: () throws -> Value) throws -> Value? {
        do {
            return try load()
        } catch let error as ProblemList {
            problems += error.problems
            return nil
        }
    }
}
