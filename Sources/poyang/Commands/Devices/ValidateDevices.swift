// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import StrictYAML

/// Loads every file of a devices folder and checks it.
///
/// - Returns: One line that says what was found.
/// - Throws: `ProblemList` with everything that is wrong.
func validateDevices(folder: String) throws -> String {
    let files = try CatalogFiles.load(directory: folder)
    let catalog = try Catalog(files: files)
    let faults = ModelExampleCheck.problems(in: files)
    guard faults.isEmpty else { throw ProblemList(faults) }
    return "\(folder): \(catalog.sites.count) sites, \(catalog.areas.count) areas, "
        + "\(files.models.count) models with \(files.examples.count) examples, \(catalog.devices.count) devices are right"
}
