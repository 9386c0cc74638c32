// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

struct DevicesLabels: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "labels",
        abstract: "Print labels with QR codes, by which devices are claimed where they are put up.",
        discussion: """
            Writes a page that any browser prints, three by eight labels on A4. A code holds
            id, model and address (poyang:ID?model=…&address=…); whoever scans it gives the
            text to 'devices register' with the site. Of devices that are not registered yet
            the labels come from a CSV file with device_id, model and, if need be, address
            and name.

              poyang devices labels --csv delivery.csv --output labels.html
              poyang devices register 'poyang:soil-9?model=generic%2Fjson' --site field7
            """
    )

    @Argument(help: "Devices; all without any.")
    var ids: [String] = []
    @Option(help: ArgumentHelp("Only devices at this site.", valueName: "id"))
    var site: String?
    @Option(help: ArgumentHelp("Devices of a file instead of registered ones.", valueName: "file"))
    var csv: String?
    @Option(help: ArgumentHelp("The page to write.", valueName: "file.html"))
    var output: String
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if self.csv != nil, self.site != nil {
            throw ValidationError("--site goes with registered devices, not with --csv")
        }
    }

    func run() async throws {
        var labels: [DeviceLabel]
        if let csv { labels = try Self.labels(ofFile: csv) } else { labels = try await self.registered() }
        if !self.ids.isEmpty {
            let known = Set(labels.map(\.device))
            let missing = self.ids.filter { !known.contains($0) }
            guard missing.isEmpty else {
                throw CommandFailure(
                    "there is no device \(missing.joined(separator: ", ")); 'poyang devices list' shows all"
                )
            }
            labels = labels.filter { self.ids.contains($0.device) }
        }
        guard !labels.isEmpty else { throw CommandFailure("there is no device to print a label of") }
        do {
            try Data(try LabelSheet(labels: labels).html().utf8)
                .write(to: URL(fileURLWithPath: self.output), options: .atomic)
        } catch let error as CocoaError {
            throw CommandFailure("cannot write \(self.output): \(error.localizedDescription)")
        }
        StandardError.write("\(self.output): \(labels.count) labels")
    }

    private func registered() async throws -> [DeviceLabel] {
        try await self.connection.withClient { client in try await client.get("/api/devices") }.elements
            .filter { self.site == nil || $0["site"].string == self.site }
            .map { device in
                DeviceLabel(
                    device: device["device"].cellText,
                    model: device["model"].cellText,
                    address: device["address"].cellText,
                    name: device["name"].cellText
                )
            }
    }

    /// - Throws: ``CommandFailure`` with the line.
    static func labels(ofFile path: String) throws -> [DeviceLabel] {
        let reader = try CSVReader(path)
        let names = reader.header.map { $0.lowercased() }
        guard let device = names.firstIndex(of: "device_id"), let model = names.firstIndex(of: "model") else {
            throw CommandFailure("\(path):1: the first line names the columns; device_id and model are needed")
        }
        var labels: [DeviceLabel] = []
        do {
            while let record = try reader.next() {
                let cells = record.fields.map { $0.trimmingBlanks() }
                func cell(_ name: String) -> String { names.firstIndex(of: name).map { cells[$0] } ?? "" }
                guard !cells[device].isEmpty else {
                    throw CommandFailure("\(path):\(record.line): device_id is empty; a label needs it")
                }
                labels.append(
                    DeviceLabel(
                        device: cells[device],
                        model: cells[model],
                        address: cell("address"),
                        name: cell("name")
                    )
                )
            }
        } catch let problem as RowProblem {
            throw CommandFailure("\(path):\(problem.line): \(problem.message)")
        }
        return labels
    }
}
