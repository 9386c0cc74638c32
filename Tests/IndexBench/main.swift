// poyang
// SPDX-License-Identifier: Apache-2.0

// Measures the label index alone: memory, insertion, queries. One JSON object per line.
//
//     IndexBench [SERIES]

import Foundation
import SeriesStorage
import Telemetry

try IndexBenchmark.run(series: CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000)
