// poyang
// SPDX-License-Identifier: Apache-2.0

import CatalogStorage
import Foundation
import Telemetry
import Testing

struct KillTests {
    /// A process that commits without pause is killed at some instant; what it leaves stands at one batch.
    @Test(.timeLimit(.minutes(1)), arguments: [0, 700, 1900, 4300, 9100, 17_000])
    func leavesPositionAndTransitionsTogether(microseconds: Int) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("poyang-kill-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("catalog.db").path
        try CatalogStore(path: path).close()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, delay = microseconds as Int] in
            let store = try CatalogStore(path: path)
            try store.commit(fullBatch(1))
            Thread {
                Thread.sleep(forTimeInterval: Double(delay) / 1e6)
                kill(getpid(), SIGKILL)
            }
            .start()
            for position in 2...Int64.max { try store.commit(fullBatch(position)) }
        }
        let store = try CatalogStore(path: path)
        let position = try agreedPosition(store)
        #expect(position >= 1)
        try store.commit(fullBatch(position + 1))
        #expect(try agreedPosition(store) == position + 1)
    }
}
