// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Foundation
import HTTPAPI
import SeriesStorage
import Telemetry
import TestSupport
import Testing

@testable import Platform

/// Silence is shown as what it is: unknown, with a reason and an age.
struct StatusBuilderTests {
    private func status(_ bench: Workbench, clock: Timestamp?) throws -> (state: String, reason: String?, age: Int?) {
        let catalog = bench.resolver.catalog
        let builder = StatusBuilder(
            catalog: catalog,
            reader: CatalogReader(base: bench.store.reader, catalog: catalog),
            clock: { _ in clock },
            warnings: [:]
        )
        let status = try builder.status(of: try #require(catalog.sites["usgs-01581752"]))
        return (status.state, status.reason, status.ageSeconds)
    }

    @Test
    func aGaugeThatNeverReportedIsUnknown() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            #expect(try self.status(bench, clock: nil) == ("unknown", "never_reported", nil))
            try bench.close()
        }
    }

    /// A gauge that reports each 5 minutes is looked back to for 12.5.
    @Test(arguments: [(0, "normal"), (12, "normal"), (13, "unknown"), (60, "unknown")])
    func aGaugeIsUnknownFromTheEndOfItsLookback(minutes: Int, state: String) throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            for entry in try bench.commit([(0, 2)]) { try bench.core.process(entry, at: Workbench.start) }
            let seen = try self.status(bench, clock: Workbench.start + Milliseconds(minutes) * .minute)
            #expect(seen == (state, state == "unknown" ? "no_data" : nil, minutes * 60))
            try bench.close()
        }
    }

    @Test
    func aSiteWithoutDevicesIsNotInstrumented() throws {
        try inTemporaryFolder { folder in
            let bench = try Workbench(folder)
            let catalog = bench.resolver.catalog
            let bare = try #require(catalog.sites.values.first { catalog.devices(at: $0.id).isEmpty })
            let builder = StatusBuilder(
                catalog: catalog,
                reader: CatalogReader(base: bench.store.reader, catalog: catalog),
                clock: { _ in nil },
                warnings: [:]
            )
            #expect(try builder.status(of: bare).state == "not_instrumented")
            try bench.close()
        }
    }
}
