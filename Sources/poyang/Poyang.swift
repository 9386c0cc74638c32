// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import StrictYAML

@main
struct Poyang: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poyang",
        abstract: "Collects field, river and lake sensors over MQTT, keeps their series, and warns.",
        discussion: """
            Start the service, look at it, ask it:

              poyang serve --exercise
              poyang status
              poyang query 'water_level_meters{site="xingzi"}'

            Exit codes: 0 success; 1 a failed check, a refused request, a port taken or a
            data directory in use; 64 wrong usage. `poyang help COMMAND` explains a
            command with an example.
            """,
        subcommands: [
            Serve.self, DevicesCommand.self, SitesCommand.self, ReadingsCommand.self, QualityCommand.self,
            RulesCommand.self,
            QueryCommand.self,
            StatusCommand.self, WarningsCommand.self, QuarantineCommand.self, ImportCommand.self,
            ExportCommand.self, RemoveCommand.self, ReplayCommand.self, SimulateCommand.self, GatewayCommand.self,
            TokenCommand.self,
            ClockCommand.self,
            BackupCommand.self,
            RestoreCommand.self, VerifyCommand.self,
        ]
    )

    /// Runs the command named by the arguments.
    ///
    /// What a command throws about its work goes to standard error as `error: …` with exit code 1; what is wrong with
    /// the arguments is ArgumentParser's own, with exit code 64.
    static func main() async {
        if let script = BashScript.asked(by: Array(CommandLine.arguments.dropFirst())) {
            StandardOutput.write(script)
            return
        }
        do {
            var command = try await self.asyncParseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            StandardError.write("error: \(failure.message)")
            Foundation.exit(1)
        } catch let problems as ProblemList {
            let isChinese = Terminal.isChinese
            for problem in problems.problems { StandardError.write("error: \(problem.text(inChinese: isChinese))") }
            Foundation.exit(1)
        } catch {
            guard !(error is ExitCode), self.exitCode(for: error) == .failure else { self.exit(withError: error) }
            StandardError.write("error: \(error)")
            Foundation.exit(1)
        }
    }
}
