// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SeriesStorage
import Telemetry

/// One column of a CSV file of the shared data.
struct RealRecord {
    let path: String
    let column: String
    /// Milliseconds between lines; the lines' own times are local ones in many forms.
    let interval: Milliseconds

    static let all = [
        RealRecord(path: "river/cedar_creek_wi_q_15min_2007_2009.csv", column: "discharge_cfs", interval: 900_000),
        RealRecord(
            path: "river/usgs_01073500_lamprey_q_15min_200604_200706.csv",
            column: "discharge_cfs",
            interval: 900_000
        ),
        RealRecord(path: "rain/usgs_05408480_rain_15min_2015_2016.csv", column: "rain_in", interval: 900_000),
        RealRecord(
            path: "rain/cedar_creek_wi_radar_rain_hourly_2007_2008.csv",
            column: "areal_mean_mm_h",
            interval: 3_600_000
        ),
        RealRecord(path: "soil/uscrn_daily_2020_8stations.csv", column: "soil_moisture_5_daily", interval: .day),
        RealRecord(path: "wq/french_creek_do_5min_2012.csv", column: "temp", interval: 300_000),
        RealRecord(path: "wq/french_creek_do_5min_2012.csv", column: "oxy", interval: 300_000),
    ]

    /// Nil where there is no such file or column; lines without a number are left out.
    func load(from folder: String) -> Columns? {
        guard let text = try? String(contentsOfFile: folder + self.path, encoding: .utf8) else { return nil }
        let lines = text.split(whereSeparator: \.isNewline)
        guard let place = lines.first?.split(separator: ",").firstIndex(of: Substring(self.column)) else { return nil }
        var columns = Columns()
        for (number, line) in lines.dropFirst().enumerated() {
            let cells = line.split(separator: ",", omittingEmptySubsequences: false)
            guard cells.count > place, let value = Double(cells[place]) else { continue }
            let time = Timestamp(milliseconds: 1_420_070_400_000 + Int64(number) * self.interval)
            columns.append(time, value, SampleMark.measured.rawValue)
        }
        return columns.isEmpty ? nil : columns
    }
}
