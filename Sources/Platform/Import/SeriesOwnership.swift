// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry

extension Catalog {
    /// What forbids one who is bound to `org` to write a series; nil where nothing does.
    ///
    /// A series is the org's when its site is, or, where it names no site, when its own label `org` says so. A label
    /// `org` of its own would show the samples of one's site to others, so it must agree. Of a site that is not
    /// registered nobody knows whose it will be.
    func objection(to labels: Labels, writtenFor org: String) -> String? {
        let stored = labels.value(of: "org")
        if let stored, stored != org {
            return "the series carries the org '\(stored)', and this token writes for '\(org)'"
        }
        guard let site = labels.value(of: "site") else {
            guard stored == nil else { return nil }
            return "the series belongs to no site of '\(org)'; without a site it must carry the label org=\"\(org)\""
        }
        return self.sites[site]?.org == org ? nil : "the series belongs to no site of '\(org)'"
    }
}
