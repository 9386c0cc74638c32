// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry
import Testing

@testable import DeviceCatalog

struct DeviceExportTests {
    private static let list = #"""
        device_id,model,site_id,site_name,kind,latitude,longitude,org,basin,datum,interval,name,address,zero_elevation_m,mount_height_m
        rtu-1,generic/sl651,creek-1,"溪, 上",river,29.1,116.25,coop,rao,wusong,5m,"一号 ""站""",62300001,,7.5
        soil-1,generic/json,field-1,七号田;北,field,,,,,,,,,,
        soil-2,generic/json,field-1,,,,,,,,1h30m,,70B3D57ED0000001,,
        """#

    @Test func whatIsExportedComesBackUnchangedAndMakesTheSameElsewhere() throws {
        let plan = DeviceImport(csv: Self.list, catalog: .empty)
        #expect(plan.rows.allSatisfy { $0.verdict == .created }, "\(plan.rows)")
        let files = try CatalogFiles.parse([])
        let registered = CatalogRegistrations(sites: plan.sites, devices: plan.devices)
        let catalog = try Catalog(files: files, registered: registered)
        let csv = DeviceExport(catalog.devices.values, sites: catalog.sites).csv
        let again = DeviceImport(csv: csv, catalog: catalog)
        #expect(again.rows.count == 3 && again.rows.allSatisfy { $0.verdict == .unchanged }, "\(csv)\(again.rows)")
        let elsewhere = DeviceImport(csv: csv, catalog: .empty)
        #expect(elsewhere.devices.sorted { $0.id < $1.id } == plan.devices.sorted { $0.id < $1.id })
        #expect(Set(elsewhere.sites.map(\.id)) == Set(plan.sites.map(\.id)))
        #expect(elsewhere.sites.first { $0.id == "creek-1" } == plan.sites.first { $0.id == "creek-1" })
    }
}
