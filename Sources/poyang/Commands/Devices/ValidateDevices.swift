// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog

/// Loads every file of a devices folder and checks it.
///
/// - Returns: One line that says what was found.
/// - Throws: `ProblemList` with everything that is wrong.
func validateDevices(folder: String) throws -> String {
    let files = try CatalogFiles.load(directory: folder)
    let catalog = try Catalog(files: files)
    return "\(folder): \(catalog.sites.count) sites, \(catalog.areas.count) areas, "
        + "\(files.models.count) models, \(catalog.devices.count) devices are right"
}
