// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct DevicesValidate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check the device, site and area files without a service.",
        discussion: """
            Unknown and doubled keys, unit mismatches, impossible limits, thresholds that
            overlap in time, models whose examples decode to something else: every problem
            is printed as file:line:column with what would be right. Exit code 1 when
            there is one.

              poyang devices validate --devices Devices
            """
    )

    @Argument(help: "The folder (default: Devices).")
    var folder: String?
    @Option(help: ArgumentHelp("The folder, as other commands name it.", valueName: "dir"))
    var devices: String?

    func run() async throws {
        let folder = self.folder ?? self.devices ?? ProcessInfo.processInfo.environment["POYANG_DEVICES"] ?? "Devices"
        StandardOutput.write(try validateDevices(folder: folder))
    }
}
