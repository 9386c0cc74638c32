// poyang
// SPDX-License-Identifier: Apache-2.0

/// Loads every file of a devices folder and checks it.
///
/// - Returns: One line that says what was found.
/// - Throws: `ProblemList` with everything that is wrong.
func validateDevices(folder: String) throws -> String {
    throw CommandFailure("this build cannot read \(folder); build the package as a whole with 'swift build'")
}
