// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import PayloadCodecs
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

    /// `POST /api/devices`: one object with the columns of the CSV file as members; a device that is there is changed.
    ///
    /// 201 or 200 with the device; 400 for what is no such object, 422 with everything that is wrong in it.
    @Sendable private func register(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        let dryRun = RequestParameters(query: request).flag("dry_run")
        let body = try await request.wholeBody()
        let cells = try Self.cells(Array(body.readableBytesView))
        func line(_ texts: [String]) -> String {
            texts.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",") + "\n"
        }
        let report = try await self.backend.importDevices(
            csv: Array((line(cells.map { $0.name }) + line(cells.map { $0.text })).utf8),
            dryRun: dryRun,
            org: context.access.org
        )
        guard let row = report.rows.first else { throw APIProblem.unprocessable("nothing is registered") }
        guard row.verdict != "error" else {
            throw APIProblem.unprocessable(
                row.problems.joined(separator: "; "),
                zh: row.problemsZh.joined(separator: "；")
            )
        }
        guard !dryRun, var device = try await self.backend.deviceReport(row.device, org: context.access.org) else {
            return try JSONBody.response(row)
        }
        if !row.notes.isEmpty { (device.notes, device.notesZh) = (row.notes, row.notesZh) }
        return try JSONBody.response(device, status: row.verdict == "created" ? .created : .ok)
    }

    /// The columns and the cells that an object gives.
    ///
    /// - Throws: ``APIProblem`` 400 that says what is no text and no number, what comes twice, or where the JSON ends.
    private static func cells(_ body: [UInt8]) throws -> [(name: String, text: String)] {
        let members: [(name: String, value: FlatObject.Value)]
        do {
            members = try FlatObject(body).members
        } catch {
            throw APIProblem.badInput(
                "the body should be a JSON object with the columns of import-csv as members; at byte \(error.offset): "
                    + error.message,
                zh: "请求体应为 JSON 对象，其成员为 import-csv 的各列；第 \(error.offset) 字节处有误"
            )
        }
        guard !members.isEmpty else {
            throw APIProblem.badInput(
                "the object is empty; it has the columns of import-csv as members, at least device_id, model and site_id",
                zh: "对象为空；其成员为 import-csv 的各列，至少要有 device_id、model 和 site_id"
            )
        }
        var problems: [LocalizedName] = []
        var names: Set<String> = []
        var cells: [(name: String, text: String)] = []
        for (name, value) in members {
            let shown = String(name.unicodeScalars.prefix(64))
            if !names.insert(name).inserted {
                problems.append(LocalizedName(zh: "“\(shown)”重复；请只保留一个", en: "'\(shown)' is given twice; keep one"))
            }
            switch value {
            case .text(let text), .number(let text): cells.append((name, text))
            case .other(let found):
                problems.append(
                    LocalizedName(
                        zh: "“\(shown)”应为文字或数字；不需要时请去掉",
                        en:
                            "'\(shown)' should be text or a number, found \(found); leave it out where there is nothing to say"
                    )
                )
            }
        }
        guard problems.isEmpty else {
            throw APIProblem.badInput(
                problems.map(\.en).joined(separator: "; "),
                zh: problems.map(\.zh).joined(separator: "；")
            )
        }
        return cells
    }

    @Sendable private func retire(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.register)
        try await self.backend.retireDevice(
            try context.pathPart("id"),
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
                device: try context.pathPart("id"),
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
                device: try context.pathPart("id"),
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
