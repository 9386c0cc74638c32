// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry

/// Lists the series of the catalogue's sites, and those without a site, only.
///
/// For the start of the rules: what is stored of other sites, a million series perhaps, gets no new readings, so that no
/// rule need be made ready for it. Samples are read as ever.
struct KnownSitesReader: SeriesReader {
    let base: any SeriesReader
    let catalog: Catalog

    /// Up to so many sites the store is asked for each of them, beyond for all at once.
    private static let sitesAskedSingly = 1000

    func select(_ request: SelectRequest) throws -> [SeriesColumns] { try self.base.select(request) }

    func selection(_ request: SelectRequest) throws -> any SelectedSeries { try self.base.selection(request) }

    func series(matching matchers: [LabelMatcher], after: Timestamp, through: Timestamp) throws -> [Labels] {
        let sites = self.catalog.sites
        if let site = matchers.first(where: { $0.name == "site" && $0.operation == .equal })?.value {
            guard site.isEmpty || sites[site] != nil else { return [] }
            return try self.base.series(matching: matchers, after: after, through: through)
        }
        guard sites.count > Self.sitesAskedSingly else {
            return try ([""] + sites.keys)
                .flatMap { site in
                    let matcher = LabelMatcher("site", equals: site)
                    return try self.base.series(matching: matchers + [matcher], after: after, through: through)
                }
        }
        // Matchers are compared by their values: this one holds for this snapshot only.
        let value = "known in \(ObjectIdentifier(self.catalog))"
        let known = LabelMatcher(name: "site", operation: .matches, value: value) { $0.isEmpty || sites[$0] != nil }
        return try self.base.series(matching: matchers + [known], after: after, through: through)
    }
}
