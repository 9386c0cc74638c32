// poyang
// SPDX-License-Identifier: Apache-2.0

import EarlyWarning
import Foundation

/// The rule tests that paths on the command line mean.
enum RuleTestFiles {
    /// Files as given, and the `*.test.yaml` below folders in the order of their names.
    ///
    /// A path that does not exist, and paths without any such file, are thrown as ``CommandFailure``.
    static func find(_ paths: [String]) throws -> [String] {
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
            let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
            found += try RuleFileLoader.testFiles(below: folder).map { "\(folder)/\($0)" }
        }
        guard !found.isEmpty else {
            throw CommandFailure("no *.test.yaml file in \(paths.joined(separator: ", ")); name a file or a folder")
        }
        return found
    }
}
