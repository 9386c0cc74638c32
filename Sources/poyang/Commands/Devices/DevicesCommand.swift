// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Register sensors and see whether they report.",
        discussion: """
            A first device, from a list to its first reading:

              poyang devices register
              poyang devices import-csv devices.csv --dry-run
              poyang devices import-csv devices.csv
              poyang devices show field7-soil
            """,
        subcommands: [
            DevicesValidate.self, DevicesApply.self, DevicesList.self, DevicesShow.self, DevicesWatch.self,
            DevicesImportCSV.self, DevicesExport.self, DevicesLabels.self,
            DevicesRegister.self, DevicesReplace.self, DevicesSurvey.self, DevicesRetire.self, DevicesCredentials.self,
            DevicesMaintenance.self,
            DevicesCalibration.self,
        ]
    )
}
