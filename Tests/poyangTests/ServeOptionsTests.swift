// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import StrictYAML
import TestSupport
import Testing

@testable import poyang

struct ServeOptionsTests {
    private func options(_ arguments: [String], environment: [String: String] = [:]) throws -> ServeOptions {
        let command = try #require(try Poyang.parseAsRoot(["serve"] + arguments) as? Serve)
        return try command.options(environment: environment)
    }

    @Test func needsNoOption() throws {
        let options = try self.options([])
        #expect(options.data == "data")
        #expect(options.broker == .url("mqtt://127.0.0.1:1883"))
        #expect(options.host == "127.0.0.1")
        #expect(options.port == 8640)
        #expect(options.clock == .wall)
        #expect(!options.isExercise)
        #expect(options.queryNiceness == 15)
    }

    @Test func prefersFlagsToTheEnvironmentAndThatToTheFile() throws {
        try inTemporaryFolder { folder in
            let path = try file(
                "c.yaml",
                in: folder,
                "data: of-file\nrules: of-file\nlisten: 127.0.0.1:1\nembedded_broker: true\nexercise: true\n"
            )
            let options = try self.options(
                ["--data", "of-flag", "--config", path, "--no-exercise"],
                environment: [
                    "POYANG_DATA": "of-env", "POYANG_LISTEN": "[::1]:0", "POYANG_CLOCK": "data",
                    "POYANG_QUERY_NICENESS": "3",
                ]
            )
            #expect(options.queryNiceness == 3)
            #expect(options.data == "of-flag")
            #expect(options.rules == "of-file")
            #expect(options.host == "::1")
            #expect(options.port == 0)
            #expect(options.clock == .data)
            #expect(options.broker == .embedded)
            #expect(!options.isExercise)
        }
    }

    @Test func letsANearerBrokerWinOverAFartherEmbeddedOne() throws {
        let options = try self.options(
            ["--broker", "mqtt://10.0.0.1:1883"],
            environment: ["POYANG_EMBEDDED_BROKER": "1"]
        )
        #expect(options.broker == .url("mqtt://10.0.0.1:1883"))
    }

    @Test func namesWhatIsWrongInTheConfigurationFileAndWhere() throws {
        do {
            _ = try ServeSettings(yaml: "clock: moon\nlissen: x\nquery_niceness: 20\n", file: "c.yaml")
            Issue.record("a wrong file was taken")
        } catch let list as ProblemList {
            #expect(
                list.problems.map(\.description) == [
                    "c.yaml:1:8: 'moon' is no clock; write wall or data",
                    "c.yaml:2:1: unknown key 'lissen'; did you mean 'listen'?",
                    "c.yaml:3:17: '20' is no niceness; write a number from 0 to 19",
                ]
            )
        }
    }

    @Test(arguments: ["8640", "localhost", "::1:80", "host:70000", ":1"])
    func refusesWhatIsNoAddress(text: String) {
        #expect(throws: CommandFailure.self) { try ServeOptions.address(text) }
    }
}
