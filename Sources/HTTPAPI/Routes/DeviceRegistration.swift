// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry

/// Single devices: register, change, replace, survey, retire.
struct DeviceRegistration: Sendable {
    let backend: any APIBackend

    func add(to router: Router<APIRequestContext>) {
        router.post("/api/devices", use: self.register)
        router.delete("/api/devices/:id", use: self.retire)
        router.post("/api/devices/:id/replace", use: self.replace)
        router.post("/api/devices/:id/surveys", use: self.survey)
    }

    /// A value of one of the columns of `devices import-csv`.
    private enum Cell: Decodable {
        case text(String)
        case number(Double)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else {
                self = .number(try container.decode(Double.self))
            }
        }

        var csv: String {
            switch self {
            case .text(let text): "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
            case .number(let number): "\(number)"
            }
        }
    }

    /// `POST /api/devices`: one object with the columns of the CSV file as members; a device that is there is changed.
    ///
    /// 201 or 200 with the device; 422 with everything that is wrong.
    @Sendable private func register(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        let dryRun = RequestParameters(query: request).flag("dry_run")
        let cells = try await JSONBody.decode([String: Cell].self, from: request)
        let columns = cells.sorted { $0.key < $1.key }
        let csv =
            columns.map { Cell.text($0.key).csv }.joined(separator: ",") + "\n"
            + columns.map(\.value.csv).joined(separator: ",") + "\n"
        let report = try await self.backend.importDevices(csv: Array(csv.utf8), dryRun: dryRun, org: context.access.org)
        guard let row = report.rows.first, row.verdict != "error" else {
            throw APIProblem.unprocessable(
                report.rows.first?.problems.joined(separator: "; ")
                    ?? "the object is empty; it has the columns of import-csv",
                zh: report.rows.first?.problemsZh.joined(separator: "；") ?? "对象为空；其成员为 import-csv 的各列"
            )
        }
        guard !dryRun, let device = try await self.backend.deviceReport(row.device, org: context.access.org) else {
            return try JSONBody.response(row)
        }
        return try JSONBody.response(device, status: row.verdict == "created" ? .created : .ok)
    }

    @Sendable private func retire(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        try await self.backend.retireDevice(
            try context.parameters.require("id"),
            by: RequestParameters(query: request)["by"] ?? "",
            access: context.access
        )
        return Response(status: .noContent)
    }

    private struct Replacement: Decodable {
        let with: String
        let model: String?
        let address: String?
        let zeroElevation: Double?
        let mountHeight: Double?
        let by: String?
        let note: String?

        private enum CodingKeys: String, CodingKey {
            case with, model, address, by, note
            case zeroElevation = "zero_elevation_m"
            case mountHeight = "mount_height_m"
        }
    }

    @Sendable private func replace(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        let body = try await JSONBody.decode(Replacement.self, from: request)
        let report = try await self.backend.replaceDevice(
            ReplacementOrder(
                device: try context.parameters.require("id"),
                new: body.with,
                model: body.model,
                address: body.address,
                zero: body.zeroElevation,
                mount: body.mountHeight,
                by: body.by ?? "",
                note: body.note ?? "",
                access: context.access
            )
        )
        return try JSONBody.response(report, status: .created)
    }

    private struct Survey: Decodable {
        let zeroElevation: Double
        let mountHeight: Double?
        /// RFC 3339; +08:00 where it names no zone.
        let validFrom: String?
        let surveyor: String?
        let source: String?

        private enum CodingKeys: String, CodingKey {
            case surveyor, source
            case zeroElevation = "zero_elevation_m"
            case mountHeight = "mount_height_m"
            case validFrom = "valid_from"
        }
    }

    @Sendable private func survey(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        let body = try await JSONBody.decode(Survey.self, from: request)
        let report = try await self.backend.surveyDevice(
            SurveyOrder(
                device: try context.parameters.require("id"),
                zero: body.zeroElevation,
                mount: body.mountHeight,
                from: try body.validFrom.map { try JSONBody.moment($0, of: "valid_from") },
                by: body.surveyor ?? "",
                source: body.source ?? "",
                access: context.access
            )
        )
        return try JSONBody.response(report, status: .created)
    }
}
