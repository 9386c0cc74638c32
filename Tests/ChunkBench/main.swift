// poyang
// SPDX-License-Identifier: Apache-2.0

// Measures the chunk codec on generated sensor series and on the real records. One JSON object per line.
//
//     ChunkBench [SERIES] [REPETITIONS]
//
// Rates are samples per second of this thread's processor time. POYANG_SHARED is the folder of the shared data,
// ../shared without it.

import BenchmarkData
import Foundation
import SeriesStorage

let series = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 400 : 400
let repetitions = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 5 : 5
let data = SensorData(series: series)
let all = (0..<series).map { RecordedSeries(data, $0) }

try report(["name": "entropy", "bytes/sample": meanEntropy(all)])
for size in [120, 480, 2880, 5760] {
    try measure("all", all, size, repetitions)
    try measure("regular", all.filter { !$0.isJittered }, size, repetitions)
    try measure("jittered", all.filter(\.isJittered), size, repetitions)
    for metric in Set(all.map(\.metric)).sorted() {
        try measure(metric, all.filter { $0.metric == metric && !$0.isJittered }, size, 1)
    }
}
let shared = ProcessInfo.processInfo.environment["POYANG_SHARED"] ?? "../shared"
for record in RealRecord.all {
    guard let columns = record.load(from: shared + "/data/") else { continue }
    let recorded = RecordedSeries(metric: record.path + " " + record.column, isJittered: false, columns: columns)
    for size in [480, 5760] { try measure(recorded.metric, [recorded], size, 1) }
}
