// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry

/// An area's file as read.
struct AreaFile {
    var area: Area
    var place: YAMLValue
    /// The references with their places, for checks across files.
    var sites: [(id: String, place: YAMLValue)]

    init?(_ root: YAMLValue, slug: String) {
        let keys = ["area", "name", "org", "admin_code", "sites", "contacts", "source", "notes"]
        guard let map = root.mapping(keys: keys), let id = map.required("area") else { return nil }
        if let text = id.identifier, text != slug {
            id.report(
                "the file is named '\(slug).yaml', but declares area '\(text)'; name both alike",
                zh: "文件名为“\(slug).yaml”，定义的却是区域“\(text)”；两者应一致"
            )
        }
        for key in ["source", "notes"] { _ = map[key]?.text }
        self.place = id
        self.sites = (map.required("sites")?.list ?? []).compactMap { value in value.identifier.map { ($0, value) } }
        for (index, site) in self.sites.enumerated() where self.sites[..<index].contains(where: { $0.id == site.id }) {
            site.place.report("site '\(site.id)' is listed twice", zh: "站点“\(site.id)”重复列出")
        }
        self.area = Area(
            id: slug,
            name: map.required("name")?.localizedName ?? LocalizedName(zh: slug, en: slug),
            org: map["org"]?.identifier ?? "",
            adminCode: map["admin_code"]?.adminCode ?? "",
            sites: self.sites.map(\.id),
            contacts: (map["contacts"]?.list ?? []).compactMap(\.text)
        )
    }
}
