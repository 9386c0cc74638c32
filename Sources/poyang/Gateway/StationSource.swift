// poyang
// SPDX-License-Identifier: Apache-2.0

import FieldGateway
import Foundation
import Platform
import Telemetry

/// Where a gateway learns which device has which address: from a file, or from the service.
struct StationSource: Sendable {
    private let file: String?
    private let url: String?
    private let token: String?
    private let data: String

    init(file: String?, connection: ConnectionOptions) {
        let environment = ProcessInfo.processInfo.environment
        self.file = file
        self.url = connection.url
        self.token = connection.token ?? environment["POYANG_TOKEN"]
        self.data = connection.data ?? environment["POYANG_DATA"] ?? "data"
    }

    /// - Throws: ``CommandFailure`` where nobody can say.
    func stations() async throws -> [GatewayStation] {
        if let file { return try Self.stations(ofFile: file) }
        // Where there is nothing to ask, stations go by their addresses.
        if self.url == nil, !FileManager.default.fileExists(atPath: self.data) { return [] }
        return try await self.client().get("/api/devices").elements
            .compactMap { device in
                guard let id = device["device"].string, let address = device["address"].string, !address.isEmpty else {
                    return nil
                }
                return GatewayStation(
                    device: id,
                    address: address,
                    interval: device["interval"].string.flatMap { PrometheusDuration.parse($0) },
                    lastSeen: device["last_seen"].string.flatMap { Timestamp(rfc3339: $0) }
                )
            }
    }

    /// The running service; a gateway never takes the data directory for itself.
    private func client() throws -> APIClient {
        if let url { return try APIClient(url: url, token: self.token) }
        let directory = DataDirectory(path: self.data)
        guard directory.owner != nil, FileManager.default.fileExists(atPath: directory.socket) else {
            throw CommandFailure(
                "no service runs on the data directory \(self.data); start 'poyang serve', or name it by --data, --url "
                    + "or --stations FILE"
            )
        }
        return APIClient(socket: directory.socket)
    }

    /// Reads `device_id`, `address` and, where it is there, `interval`; other columns are passed over.
    ///
    /// - Throws: ``CommandFailure`` with the line.
    static func stations(ofFile path: String) throws -> [GatewayStation] {
        let reader = try CSVReader(path)
        let names = reader.header.map { $0.lowercased() }
        guard let device = names.firstIndex(of: "device_id"), let address = names.firstIndex(of: "address") else {
            throw CommandFailure("\(path):1: the first line names the columns; device_id and address are needed")
        }
        let interval = names.firstIndex(of: "interval")
        var stations: [GatewayStation] = []
        do {
            while let record = try reader.next() {
                let fields = record.fields.map { $0.trimmingBlanks() }
                guard !fields[address].isEmpty else { continue }
                let span = interval.flatMap { PrometheusDuration.parse(fields[$0]) }
                stations.append(GatewayStation(device: fields[device], address: fields[address], interval: span))
            }
        } catch let problem as RowProblem {
            throw CommandFailure("\(path):\(problem.line): \(problem.message)")
        }
        return stations
    }
}
