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

    @Test func theListOfSilentDevicesHasATimeOfDay() throws {
        #expect(try self.options([]).morningList == 480)
        #expect(try self.options([], environment: ["POYANG_MORNING_LIST": "07:15"]).morningList == 435)
        for wrong in ["7", "7:15", "24:00", "08:60", "-1:00", "morning", "08:00:00"] {
            let refused = #expect(throws: CommandFailure.self) {
                try self.options([], environment: ["POYANG_MORNING_LIST": wrong])
            }
            #expect("\(try #require(refused))".contains("such as \"08:00\""))
        }
        try inTemporaryFolder { folder in
            let path = try file("c.yaml", in: folder, "morning_list: 06:30\n")
            #expect(try self.options(["--config", path]).morningList == 390)
            let wrong = try file("d.yaml", in: folder, "data: x\nmorning_list: early\n")
            let problems = #expect(throws: ProblemList.self) { try self.options(["--config", wrong]) }
            #expect("\(try #require(problems))".contains("d.yaml:2:15: 'early' is no time of day"))
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
