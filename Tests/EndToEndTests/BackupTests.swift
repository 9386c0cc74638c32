// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import MQTTIngest
import TestSupport
import Testing

/// A backup of a running service, its end, and the service that starts from it.
struct BackupTests {
    private static let topic = "poyang/v1/devices/coop-pond-1-node/telemetry"

    private static func message(_ index: Int) -> (topic: String, payload: [UInt8]) {
        let json = #"{"ts":\#(1_700_000_000_000 + index * 1000),"values":{"ph":\#(Double(index % 90) / 10)}}"#
        return (Self.topic, Array(json.utf8))
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["poyang.tar", "poyang.tar.zst"])
    func whatWasThereBeforeABackupIsThereAfterItsRestore(name: String) async throws {
        try await withTemporaryFolder { folder in
            let broker = try EmbeddedBroker(EmbeddedBroker.Options(directory: folder.appending(path: "broker")))
            defer { broker.stop() }
            let (data, restored) = (folder.appending(path: "data").path, folder.appending(path: "restored").path)
            let file = folder.appending(path: name).path
            let service = try await RunningService.start(["--data", data, "--broker", "\(broker.address)"])
            let stream = try TestStream(to: "\(broker.address)")
            async let publishing: Void = stream.run(4000, Self.message)
            stream.open(to: 2000)
            try await service.settled(messages: 2000)
            // While readings come in.
            stream.open(to: 4000)
            let backup = try await PoyangProcess.run(["backup", file, "--data", data, "--json"])
            #expect(backup.status == 0, "\(backup.errors)")
            #expect(backup.output.contains("\"committed\""))
            let again = try await PoyangProcess.run(["backup", file, "--data", data])
            #expect(again.status == 1 && again.errors.contains("--force"), "\(again.errors)")
            let verify = try await PoyangProcess.run(["verify", "--data", data])
            #expect(verify.status == 0 && verify.errors.contains("all is well"), "\(verify.errors)")
            let busy = try await PoyangProcess.run(["restore", file, "--data", data])
            #expect(busy.status == 1 && busy.errors.contains("in use"), "\(busy.errors)")
            try await publishing
            try await service.settled(messages: 4000)
            try await service.stop()

            let refused = try await PoyangProcess.run(["restore", file, "--data", data])
            #expect(refused.status == 1 && refused.errors.contains("holds data"), "\(refused.errors)")
            let restore = try await PoyangProcess.run(["restore", file, "--data", restored])
            #expect(restore.status == 0, "\(restore.errors)")
            let second = try await RunningService.start(["--data", restored, "--broker", "\(broker.address)"])
            let before = try await second.samples(of: "ph", at: "coop-pond-1").count
            #expect(before >= 2000)
            // What came after the backup is sent again, and what came before it, too: each is there once.
            try await TestPublisher.publish((0..<4000).map(Self.message), to: "\(broker.address)")
            try await second.settled(messages: 4000)
            #expect(try await second.samples(of: "ph", at: "coop-pond-1").count == 4000)
            try await second.stop()
            let after = try await PoyangProcess.run(["verify", "--data", restored])
            #expect(after.status == 0, "\(after.errors)")
        }
    }

    /// Damage is named with its exit code; what was saved of it starts.
    @Test(.timeLimit(.minutes(5)))
    func damageIsNamedAndTheRestSaved() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data").path
            // Random values, so that nearly all of the file is blocks.
            var random = SeededGenerator(seed: 7)
            let lines = (0..<40)
                .map { series in
                    let values = (0..<3000)
                        .map { _ in "\(Double(Int.random(in: 0..<1_000_000, using: &random)) / 100)" }
                        .joined(separator: ",")
                    let times = (0..<3000).map { "\(1_700_000_000_000 + $0 * 60_000)" }.joined(separator: ",")
                    return #"{"metric":{"__name__":"level_meters","site":"s\#(series)"},"values":[\#(values)],"#
                        + #""timestamps":[\#(times)]}"#
                }
            let input = folder.appending(path: "in.jsonl")
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: input)
            let imported = try await PoyangProcess.run(["import", "--format", "vm-jsonl", input.path, "--data", data])
            #expect(imported.status == 0, "\(imported.errors)")
            let database = URL(filePath: data + "/samples.db")
            var bytes = try Data(contentsOf: database)
            // The middle of the file is a block's.
            let page = bytes.count / 4096 / 2
            bytes.replaceSubrange(page * 4096 + 100..<page * 4096 + 200, with: Data(repeating: 0xA5, count: 100))
            try bytes.write(to: database)

            let verify = try await PoyangProcess.run(["verify", "--data", data])
            #expect(verify.status == 1 && verify.errors.contains("damages"), "\(verify.errors)")
            #expect(verify.output.contains("level_meters"), "\(verify.output)")
            let json = try await PoyangProcess.run(["verify", "--data", data, "--json"])
            let rows = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
            #expect(json.status == 1 && rows.contains { $0["what"] as? String == "chunk" }, "\(json.output)")

            let saved = folder.appending(path: "saved").path
            let salvage = try await PoyangProcess.run(["verify", "--salvage", saved, "--data", data])
            #expect(salvage.status == 0, "\(salvage.errors)")
            let query = try await PoyangProcess.run([
                "query", "count(level_meters)", "--at", "2023-11-14T22:14:00Z", "--data", saved, "--json",
            ])
            #expect(query.status == 0 && query.output.contains("\"value\""), "\(query.errors)\(query.output)")
        }
    }

    /// A service does not start on a directory whose files were being exchanged.
    @Test(.timeLimit(.minutes(2)))
    func aRestoreThatWasCutOffIsSaidAndCanBeRepeated() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data").path
            let file = folder.appending(path: "b.tar").path
            let list = try await PoyangProcess.run(["token", "list", "--data", data])
            #expect(list.status == 1)
            let created = try await PoyangProcess.run(["token", "create", "--role", "viewer", "--data", data])
            #expect(created.status == 0, "\(created.errors)")
            let backup = try await PoyangProcess.run(["backup", file, "--data", data])
            #expect(backup.status == 0, "\(backup.errors)")
            try Data().write(to: URL(filePath: data + "/restore.unfinished"))
            try FileManager.default.removeItem(atPath: data + "/catalog.db")
            let serve = try await PoyangProcess.run(["serve", "--data", data, "--listen", "127.0.0.1:0"])
            #expect(serve.status == 1 && serve.errors.contains("was cut off"), "\(serve.errors)")
            let restore = try await PoyangProcess.run(["restore", file, "--data", data, "--force"])
            #expect(restore.status == 0, "\(restore.errors)")
            let tokens = try await PoyangProcess.run(["token", "list", "--data", data])
            #expect(tokens.status == 0 && tokens.output.contains("viewer"), "\(tokens.errors)")

            var bytes = try Data(contentsOf: URL(filePath: file))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(filePath: file))
            let damaged = try await PoyangProcess.run(["restore", file, "--data", folder.appending(path: "x").path])
            #expect(damaged.status == 1, "\(damaged.errors)")
        }
    }
}
