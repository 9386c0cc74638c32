// poyang
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import PayloadCodecs
import PromQL
import SeriesStorage
import Telemetry

/// Samples in and out in bulk, as files hold them.
struct BulkRoutes: Sendable {
    let backend: any APIBackend

    /// Offsets and line numbers that a client may name: sums of them do not overflow.
    private static let places = 0...1 << 53

    /// Bytes of an answer that are handed on at once.
    private static let pieceBytes = 1 << 20

    func add(to router: Router<APIRequestContext>) {
        router.post("/api/v1/import", use: self.importSamples)
        router.get("/api/v1/import/mark", use: self.importMark)
        router.post("/api/v1/import/finish", use: self.finishImport)
        router.get("/api/v1/export", use: self.export)
        router.post("/api/v1/admin/tsdb/delete_series", use: self.remove)
    }

    /// `POST /api/v1/import`: a body of any length in the format `?format=` (VictoriaMetrics JSON lines without it).
    ///
    /// `header` is a CSV file's header row where the body comes without it; `source`, `offset` and `line` say which
    /// input the body is a piece of and where it begins, so that the progress is saved with the samples. A body with
    /// `Content-Encoding: gzip` is what it inflates to.
    @Sendable private func importSamples(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.write)
        let isGzip = ["gzip", "x-gzip"].contains(request.headers[.contentEncoding]?.lowercased())
        if !isGzip { try request.requirePlainBody() }
        let parameters = RequestParameters(query: request)
        var order = SampleImportOrder(format: try self.format(parameters, or: .vmJSONLines))
        order.isGzip = isGzip
        order.header = parameters["header"]
        order.isStrict = parameters.flag("strict")
        order.org = context.access.org
        if let source = parameters["source"] {
            let counts = try self.backend.importMark(of: source)?.counts ?? ImportCounts()
            order.mark = ImportMark(
                source: source,
                bytes: Int64(try parameters.integer("offset", in: Self.places) ?? 0),
                lines: Int64(try parameters.integer("line", in: Self.places) ?? 0),
                counts: counts
            )
        }
        return try JSONBody.response(try await self.backend.importSamples(request.body, order))
    }

    private struct MarkReport: Encodable {
        let source: String
        let offset: Int64
        let line: Int64
        let stored: Int
        let duplicates: Int
        let revised: Int
    }

    /// How far an import came that was not finished: a list of one or none.
    @Sendable private func importMark(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.write)
        let source = try RequestParameters(query: request).required("source")
        let mark = try self.backend.importMark(of: source)
        let reports = mark.map { mark in
            MarkReport(
                source: mark.source,
                offset: mark.bytes,
                line: mark.lines,
                stored: mark.counts.stored,
                duplicates: mark.counts.duplicates,
                revised: mark.counts.revised
            )
        }
        return try JSONBody.response(reports.map { [$0] } ?? [])
    }

    @Sendable private func finishImport(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.write)
        try await self.backend.finishImport(of: RequestParameters(query: request)["source"])
        return try JSONBody.response(["finished": true])
    }

    /// `GET /api/v1/export?match[]=…&start=&end=&format=`: the stored samples, streamed series by series.
    @Sendable private func export(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        let parameters = RequestParameters(query: request)
        let format = try self.format(parameters, or: .vmJSONLines)
        let export = try self.selection(parameters, format: format, org: context.access.org)
        return Response(
            status: .ok,
            headers: [.contentType: Self.contentType(of: format), .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await self.write(export, to: &writer)
                try await writer.finish(nil)
            }
        )
    }

    private func selection(_ parameters: RequestParameters, format: BulkFormat, org: String?) throws -> BulkExport {
        let selectors = parameters.all("match[]") + parameters.all("match")
        guard !selectors.isEmpty else { throw APIProblem.badInput("parameter 'match[]' is missing") }
        let selections: [BulkExport.Selection]
        do {
            selections = try selectors.map { try BulkExport.Selection(parsing: $0) }
        } catch let error as PromQLError {
            throw APIProblem.badInput("'match[]': \(error)")
        }
        let backend = self.backend
        return BulkExport(
            format: format,
            selections: selections,
            after: try parameters.time("start").map { $0 - 1 } ?? .distantPast,
            through: try parameters.time("end") ?? .distantFuture,
            base: backend.samples.reader,
            attributes: { backend.site($0)?.virtualLabels ?? .empty },
            org: org
        )
    }

    private struct RemovalReport: Encodable {
        let series: Int
        /// Nil where nothing was to be removed yet.
        let samples: Int?
    }

    /// `POST /api/v1/admin/tsdb/delete_series?match[]=…&start=&end=`, as Prometheus has it: removes samples of any
    /// quality; `dry_run=true` only counts the series.
    @Sendable private func remove(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try context.require(.administer)
        let parameters = RequestParameters(query: request)
        // The format that knows all qualities.
        let selection = try self.selection(parameters, format: .csv, org: context.access.org)
        let series = try selection.items().map(\.labels)
        guard !parameters.flag("dry_run") else {
            return try JSONBody.response(RemovalReport(series: series.count, samples: nil))
        }
        let from = selection.after == .distantPast ? selection.after : selection.after + 1
        let removed = try await self.backend.removeSamples(of: series, from: from, through: selection.through)
        return try JSONBody.response(RemovalReport(series: series.count, samples: removed))
    }

    @concurrent
    private func write(_ export: BulkExport, to writer: inout any ResponseBodyWriter) async throws {
        let items = try export.items()
        let names = Set(items.flatMap { $0.labels.map(\.name) }).sorted()
        let format = BulkWriter(export.format, labelNames: names)
        var text: [UInt8] = []
        format.begin(into: &text)
        for item in items {
            if let series = try export.series(item, names: names) { format.write(series, into: &text) }
            guard text.count >= Self.pieceBytes else { continue }
            try await writer.write(ByteBuffer(bytes: text))
            text.removeAll(keepingCapacity: true)
        }
        format.end(into: &text)
        if !text.isEmpty { try await writer.write(ByteBuffer(bytes: text)) }
    }

    private static func contentType(of format: BulkFormat) -> String {
        switch format {
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .csv: "text/csv; charset=utf-8"
        case .vmJSONLines: "application/x-ndjson"
        }
    }

    private func format(_ parameters: RequestParameters, or standard: BulkFormat) throws -> BulkFormat {
        guard let name = parameters["format"] else { return standard }
        if let format = BulkFormat(rawValue: name) { return format }
        let names = BulkFormat.allCases.map(\.rawValue).joined(separator: ", ")
        throw APIProblem.badInput("'format' should be one of \(names), found: \(name)")
    }
}
