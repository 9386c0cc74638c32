// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The rule files that paths on the command line mean.
enum RuleFiles {
    /// Files as given, and the `*.yaml` below folders in the order of their names.
    ///
    /// With `tests` the `*.test.yaml` files are meant, else the others. A path that does not exist, and paths without
    /// any such file, are thrown as ``CommandFailure``.
    static func find(_ paths: [String], tests: Bool) throws -> [String] {
        var found: [String] = []
        for path in paths {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw CommandFailure("\(path) does not exist; name a rule file or a folder of rule files")
            }
            guard isFolder.boolValue else {
                found.append(path)
                continue
            }
            let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
            let matching = names.filter { $0.hasSuffix(".yaml") && $0.hasSuffix(".test.yaml") == tests }
            found += matching.sorted().map { "\(path)/\($0)" }
        }
        guard !found.isEmpty else {
            throw CommandFailure(
                "no \(tests ? "*.test.yaml" : "*.yaml") file in \(paths.joined(separator: ", ")); name a file or a folder"
            )
        }
        return found
    }
}
