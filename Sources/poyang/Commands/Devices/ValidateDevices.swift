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
    let (sites, areas, devices) = (catalog.sites.count, catalog.areas.count, catalog.devices.count)
    let (models, examples) = (files.models.count, files.examples.count)
    return Terminal.isChinese
        ? "\(folder)：站点 \(sites)，区域 \(areas)，型号 \(models)（样例 \(examples)），设备 \(devices)，均无误"
        : "\(folder): \(sites) sites, \(areas) areas, \(models) models with \(examples) examples, \(devices) devices are right"
}
