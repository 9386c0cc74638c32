// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes a file and gives its path.
func file(_ name: String, in folder: URL, _ text: String) throws -> String {
    let url = folder.appending(path: name)
    try Data(text.utf8).write(to: url)
    return url.path
}

/// The repository, from this file's own place.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The folder of data made by others, `$POYANG_SHARED` or `../shared`; `nil` where it is missing.
let sharedData: URL? = {
    let given = ProcessInfo.processInfo.environment["POYANG_SHARED"].map { URL(filePath: $0) }
    let folder = (given ?? repository.deletingLastPathComponent().appending(path: "shared")).appending(path: "data")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
}()

/// Where the folder is missing, tests that need it are left out; with `CI=true` they run, and fail.
let mayUseSharedData = sharedData != nil || ProcessInfo.processInfo.environment["CI"] == "true"
