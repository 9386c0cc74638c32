// poyang
// SPDX-License-Identifier: Apache-2.0

/// Why a benchmark could not be carried out.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
