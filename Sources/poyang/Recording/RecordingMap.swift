// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Telemetry

/// What the columns of a recorded CSV file are.
struct RecordingMap: Hashable, Sendable {
    /// Where the values of a column go.
    enum Target: Hashable, Sendable {
        /// Published over MQTT under a key of a device's payload.
        case channel(device: String, key: String)
        /// Imported as a series, multiplied by a factor (for units).
        case series(metric: String, labels: [String: String], factor: Double)
    }

    struct Column: Hashable, Sendable {
        let name: String
        let target: Target
        /// The column whose cells name the method of this one's values.
        let methodColumn: String?
    }

    /// Only rows whose cell in `column` is `value`.
    struct Filter: Hashable, Sendable {
        let column: String
        let value: String
    }

    /// Values computed on a straight line between two readings, never beyond the first or the last.
    struct Interpolation: Hashable, Sendable {
        /// Divides a day.
        let every: Milliseconds
        /// Time of day of one of the moments.
        let at: Milliseconds
        let zone: TimeZone
    }

    /// Joined by a space where a date and a time of day stand in columns of their own.
    var timeColumns: [String]
    var zone: TimeZone
    var format: TimeFormat
    var columns: [Column]
    var filters: [Filter] = []
    /// The first moment that is used.
    var from = Timestamp.distantPast
    /// The first moment that is no longer used.
    var end = Timestamp.distantFuture
    var interpolation: Interpolation?

    /// The map given for a file, or the one beside it: `x.csv` has `x.csv.map.yaml` or `x.map.yaml`.
    static func load(_ path: String?, for file: String) throws -> RecordingMap {
        let candidates = path.map { [$0] } ?? self.places(beside: file)
        guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw CommandFailure(
                path == nil
                    ? "\(file) has no map beside it (\(candidates.joined(separator: ", "))); write one or give --map"
                    : "the map \(candidates[0]) does not exist"
            )
        }
        guard let text = try? String(contentsOfFile: found, encoding: .utf8) else {
            throw CommandFailure("cannot read the map \(found); it must be UTF-8")
        }
        return try RecordingMap(yaml: text, file: found)
    }

    /// Whether a map of the file's columns stands beside it.
    static func stands(beside file: String) -> Bool {
        self.places(beside: file).contains { FileManager.default.fileExists(atPath: $0) }
    }

    private static func places(beside file: String) -> [String] {
        let stem = file.hasSuffix(".csv") ? String(file.dropLast(4)) : file
        return ["\(file).map.yaml", "\(stem).map.yaml"]
    }
}
