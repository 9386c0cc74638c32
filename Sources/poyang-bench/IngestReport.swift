// poyang
// SPDX-License-Identifier: Apache-2.0

/// The rounds and their medians.
struct IngestReport {
    private let results: [IngestMeasurement.Round]
    private let sites: Int

    init(rounds: [IngestMeasurement.Round], sites: Int) {
        self.results = rounds
        self.sites = sites
    }

    /// One row for each round and one for the medians.
    var rounds: ReportTable {
        var rows = self.results.enumerated().map { Self.row("\($0.offset + 1)", $0.element) }
        rows.append(
            [
                .text("median"), .number(self.median(\.discarding.messagesPerSecond), 0),
                .number(self.median(\.service.messagesPerSecond), 0), .number(self.median(\.ratio), 3),
                .number(self.median(\.service.evaluationsPerMessage), 2),
                .number(self.median(\.service.messagesPerBatch), 0),
                .number(self.median { Double($0.service.warningMessages) }, 0),
                .number(self.median(\.discarding.brokerMicroseconds), 2),
                .number(self.median(\.service.brokerMicroseconds), 2),
                .number(self.median { Self.thread("mqtt-ingest", $0) }, 2),
                .number(self.median { Self.thread("poyang-rules", $0) }, 2),
            ]
        )
        return ReportTable(
            columns: [
                "round", "discarding_per_second", "poyang_per_second", "ratio", "evaluations_per_message",
                "messages_per_batch", "warning_messages", "broker_us_discarding", "broker_us_poyang",
                "ingest_thread_us", "rules_thread_us",
            ],
            rows: rows
        )
    }

    /// One row for each round and one for the medians of what queries cost; nil where that was not measured.
    var queries: ReportTable? {
        let queried = self.results.compactMap { round in round.queried.map { (round.service, $0) } }
        guard !queried.isEmpty else { return nil }
        var rows = queried.enumerated()
            .map { number, pair -> [ReportTable.Cell] in
                let (alone, asked) = pair
                return [
                    .text("\(number + 1)"), .number(alone.messagesPerSecond, 0), .number(asked.messagesPerSecond, 0),
                    .number(asked.messagesPerSecond / alone.messagesPerSecond, 3),
                    .number(Double(asked.queries.answered), 0), .number(Double(asked.queries.refused), 0),
                    .number(Double(asked.queries.failed.values.reduce(0, +)), 0),
                    .number(Double(asked.queries.medianMilliseconds ?? 0), 0),
                    .number(Double(asked.residentBytes) / 1e6, 0),
                ]
            }
        let shares = queried.map { $0.1.messagesPerSecond / $0.0.messagesPerSecond }.sorted()
        rows.append([.text("median"), .none, .none, .number(shares[shares.count / 2], 3)])
        return ReportTable(
            columns: [
                "round", "alone_per_second", "queried_per_second", "share", "answered", "refused", "failed",
                "median_answer_ms", "largest_resident_mb",
            ],
            rows: rows.map { $0 + Array(repeating: .none, count: 9 - $0.count) }
        )
    }

    var text: String {
        let note = "\(self.sites) sites; broker and threads: processor time per message in microseconds"
        return [self.rounds.text, note, self.queries?.text].compactMap { $0 }.joined(separator: "\n")
    }

    private static func row(_ name: String, _ round: IngestMeasurement.Round) -> [ReportTable.Cell] {
        [
            .text(name), .number(round.discarding.messagesPerSecond, 0), .number(round.service.messagesPerSecond, 0),
            .number(round.ratio, 3), .number(round.service.evaluationsPerMessage, 2),
            .number(round.service.messagesPerBatch, 0), .number(Double(round.service.warningMessages), 0),
            .number(round.discarding.brokerMicroseconds, 2),
            .number(round.service.brokerMicroseconds, 2), .number(self.thread("mqtt-ingest", round), 2),
            .number(self.thread("poyang-rules", round), 2),
        ]
    }

    private static func thread(_ name: String, _ round: IngestMeasurement.Round) -> Double {
        round.service.threadMicroseconds[name] ?? 0
    }

    private func median(_ value: (IngestMeasurement.Round) -> Double) -> Double {
        let sorted = self.results.map(value).sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
