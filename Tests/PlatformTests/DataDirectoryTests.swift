// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Platform

/// One process owns a data directory.
struct DataDirectoryTests {
    @Test
    func asLongAsTheLockIsHeldNobodyElseGetsIt() throws {
        try inTemporaryFolder { folder in
            let directory = DataDirectory(path: folder.appending(path: "made/on/the/way").path)
            let lock = try directory.acquire()
            #expect(directory.isInUse)
            let error = #expect(throws: PlatformError.self) { try directory.acquire() }
            #expect(error?.code == .dataDirectoryInUse)
            #expect(error?.message.contains("pid \(ProcessInfo.processInfo.processIdentifier)") == true)
            withExtendedLifetime(lock) {}
        }
    }

    @Test
    func theEndOfTheOwnerFreesIt() throws {
        try inTemporaryFolder { folder in
            let directory = DataDirectory(path: folder.path)
            _ = try directory.acquire()
            #expect(!directory.isInUse)
            _ = try directory.acquire()
        }
    }

    @Test
    func aFileInItsPlaceIsNamed() throws {
        try inTemporaryFolder { folder in
            let path = folder.appending(path: "data").path
            try Data().write(to: URL(filePath: path))
            let error = #expect(throws: PlatformError.self) { try DataDirectory(path: path).acquire() }
            #expect(error?.code == .dataDirectory)
            #expect(error?.message.contains(path) == true)
        }
    }
}
