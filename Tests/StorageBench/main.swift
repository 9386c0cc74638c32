// poyang
// SPDX-License-Identifier: Apache-2.0

// Measures the store alone. One JSON object per line.
//
//     StorageBench live DIRECTORY [BATCHES] [READINGS-PER-BATCH]   the way of a reading: commit, apply, seal, read
//     StorageBench series DIRECTORY COUNT                          one sample each of so many series
//     StorageBench scale DIRECTORY SERIES DAYS                     the sensors' data, imported and asked
//     StorageBench open DIRECTORY                                  opens what one of these left

import Foundation
import SeriesStorage
import Telemetry

let arguments = CommandLine.arguments
func number(_ index: Int, _ standard: Int) -> Int {
    arguments.count > index ? Int(arguments[index]) ?? standard : standard
}
guard arguments.count >= 3 else { fatalError("usage: StorageBench live|series|scale|open DIRECTORY …") }
let path = arguments[2] + "/samples.db"
switch arguments[1] {
case "live": try LivePath.run(path, batches: number(3, 4000), size: number(4, 1000))
case "series": try ManySeries.run(path, count: number(3, 1_000_000))
case "scale": try ScaleTable.run(path, series: number(3, 2000), days: number(4, 20))
case "open": try ManySeries.open(path)
default: fatalError("unknown measurement \(arguments[1])")
}
