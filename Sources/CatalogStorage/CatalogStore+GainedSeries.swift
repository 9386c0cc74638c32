// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import GRDB
package import Telemetry

extension CatalogStore {
    /// Puts down whose series are; who had one before has it no more.
    package func put(gained: [GainedSeries]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try self.pool.write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO gained_series (series, device, reported_depth) VALUES (?, ?, ?)
                    ON CONFLICT (series) DO UPDATE SET
                        device = excluded.device, reported_depth = excluded.reported_depth
                    """
            )
            for series in gained {
                let labels = String(decoding: try encoder.encode(series.labels), as: UTF8.self)
                try statement.execute(arguments: [labels, series.device, series.isReportedDepth])
            }
        }
    }

    /// Whose series are that came into being with their first readings.
    package func gainedSeries() throws -> [GainedSeries] {
        let decoder = JSONDecoder()
        return try self.pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM gained_series ORDER BY series")
                .map { row in
                    let labels: String = row["series"]
                    return GainedSeries(
                        labels: try decoder.decode(Labels.self, from: Data(labels.utf8)),
                        device: row["device"],
                        isReportedDepth: row["reported_depth"]
                    )
                }
        }
    }
}
