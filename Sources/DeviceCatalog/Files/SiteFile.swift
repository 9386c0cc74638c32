// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry

/// A site's file as read.
struct SiteFile {
    /// A device with the places of its id, its model and its address, for checks across files.
    struct DeclaredDevice {
        var device: Device
        var place: YAMLValue
        var modelPlace: YAMLValue
        var addressPlace: YAMLValue?
    }

    var site: Site
    var place: YAMLValue
    var devices: [DeclaredDevice]
    /// Other sites that it names.
    var references: [(id: String, place: YAMLValue)] = []

    private static let keys = [
        "site", "name", "kind", "org", "basin", "admin_code", "county", "codes", "position", "datum", "soil",
        "thresholds", "qc",
        "devices", "source", "notes",
    ]

    /// - Parameters:
    ///   - root: The file's document.
    ///   - slug: The file's name without `.yaml`, which is the site's id.
    init?(_ root: YAMLValue, slug: String) {
        guard let map = root.mapping(keys: SiteFile.keys), let id = map.required("site") else { return nil }
        if let text = id.identifier, text != slug {
            id.report(
                "the file is named '\(slug).yaml', but declares site '\(text)'; name both alike",
                zh: "文件名为“\(slug).yaml”，定义的却是站点“\(text)”；两者应一致"
            )
        }
        for key in ["source", "notes"] { _ = map[key]?.text }
        self.place = id
        self.site = Site(
            id: slug,
            name: map.required("name")?.localizedName ?? LocalizedName(zh: slug, en: slug),
            kind: map.required("kind")?.choice("kind", of: SiteKind.self) ?? .river,
            org: map["org"]?.identifier ?? "",
            basin: map["basin"]?.identifier ?? "",
            adminCode: map["admin_code"]?.adminCode ?? "",
            county: map["county"]?.text ?? ""
        )
        self.site.codes = map["codes"].map(SiteFile.codes) ?? [:]
        self.site.position = map["position"].flatMap(SiteFile.position)
        self.site.datum = map["datum"].flatMap(SiteFile.datum)
        self.site.soil = map["soil"].flatMap(SiteFile.soil)
        self.devices = []
        if let list = map["thresholds"]?.list { self.site.thresholds = ThresholdList.read(list, site: self.site) }
        if let qc = map["qc"] {
            self.site.quality = QualityFields.overrides(qc, site: slug, references: &self.references)
        }
        self.devices = (map["devices"]?.list ?? []).compactMap { SiteFile.device($0, site: slug) }
        for index in self.devices.indices { self.devices[index].device.rank = Int64(index) }
    }

    private static func codes(_ value: YAMLValue) -> [String: String] {
        var codes: [String: String] = [:]
        for entry in value.anyMapping()?.entries ?? [] {
            guard let code = entry.value.text else { continue }
            let isStationCode =
                code.utf8.count == 8 && code.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            if entry.key == "sl502", !isStationCode {
                entry.value.report(
                    "'\(code)' is no SL 502 code; they have eight digits or letters, in quotes",
                    zh: "“\(code)”不是 SL 502 测站编码；应为 8 位数字或字母，加引号"
                )
            }
            codes[entry.key] = code
        }
        return codes
    }

    private static func position(_ value: YAMLValue) -> Position? {
        guard let map = value.mapping(keys: ["lat", "lon", "confidence"]) else { return nil }
        let latitude = map.required("lat")?.number(in: -90...90, "lat")
        let longitude = map.required("lon")?.number(in: -180...180, "lon")
        let confidence = map.required("confidence")?.text
        guard let latitude, let longitude, let confidence else { return nil }
        return Position(latitude: latitude, longitude: longitude, confidence: confidence)
    }

    private static func datum(_ value: YAMLValue) -> Datum? {
        guard let map = value.mapping(keys: ["name", "offset_to_1985_m", "valid_from", "source"]),
            let nameValue = map.required("name"), let name = nameValue.string
        else { return nil }
        guard Datum.knownNames.contains(name) else {
            let known = Datum.knownNames.joined(separator: ", ")
            nameValue.report("datum '\(name)' is not known; it is one of \(known)", zh: "未知的基面“\(name)”；可选：\(known)")
            return nil
        }
        let offset = map["offset_to_1985_m"]
        if name == "1985", offset?.double.map({ $0 != 0 }) ?? false {
            offset?.report("the 1985 datum has the offset 0 to itself; leave it out", zh: "1985 基面与自身的差值为 0；请不填")
        }
        return Datum(
            name: name,
            offsetTo1985Meters: offset?.number(in: -500...9000, "offset_to_1985_m"),
            validFrom: map["valid_from"]?.date,
            source: map.required("source")?.text ?? ""
        )
    }

    private static func soil(_ value: YAMLValue) -> Soil? {
        guard let map = value.mapping(keys: ["field_capacity_percent", "source", "confidence"]) else { return nil }
        // Of the volume: sand holds some 8 %, peat up to 80 %.
        let capacity = map.required("field_capacity_percent")?.number(in: 3...90, "field_capacity_percent")
        let source = map.required("source")?.text
        let confidence = map.required("confidence")?.text
        guard let capacity, let source, let confidence else { return nil }
        return Soil(fieldCapacityPercent: capacity, source: source, confidence: confidence)
    }

    private static func surveys(_ value: YAMLValue) -> [ZeroSurvey] {
        let surveys = (value.list ?? [])
            .compactMap { entry -> ZeroSurvey? in
                let keys = ["valid_from", "zero_elevation_m", "mount_height_m", "surveyor", "source"]
                guard let map = entry.mapping(keys: keys) else { return nil }
                let from = map.required("valid_from")?.date
                let zero = map.required("zero_elevation_m")?.number(in: -500...9000, "zero_elevation_m")
                let height = map["mount_height_m"]?.number(in: -100...1000, "mount_height_m")
                let surveyor = map.required("surveyor")?.text
                let source = map["source"]?.text
                guard let from, let zero, let surveyor else { return nil }
                return ZeroSurvey(
                    validFrom: from,
                    zeroElevationMeters: zero,
                    mountHeightMeters: height,
                    surveyor: surveyor,
                    source: source ?? ""
                )
            }
            .sorted { $0.validFrom < $1.validFrom }
        for (earlier, later) in zip(surveys, surveys.dropFirst()) where earlier.validFrom == later.validFrom {
            value.report(
                "two surveys are valid from \(later.validFrom.day); keep the later one",
                zh: "有两次测量都自 \(later.validFrom.day) 起生效；请保留较晚的一次"
            )
        }
        return surveys
    }

    private static func device(_ value: YAMLValue, site: String) -> DeclaredDevice? {
        let keys = [
            "id", "name", "model", "interval", "report", "zero_elevation_m", "mount_height_m", "surveys", "address",
            "test",
            "installed", "notes",
        ]
        guard let map = value.mapping(keys: keys) else { return nil }
        let place = map.required("id")
        let modelPlace = map.required("model")
        if let interval = map["interval"], map["report"] != nil {
            interval.report(
                "'interval: 5m' is short for 'report: { every: 5m }'; keep one of them",
                zh: "interval: 5m 即 report: { every: 5m }；请只保留一个"
            )
        }
        _ = map["notes"]?.text
        let id = place?.identifier
        let model = modelPlace?.text
        var device = Device(id: id ?? "", name: map["name"]?.text ?? "", model: model ?? "", site: site)
        device.schedule = map["interval"]?.span.map { .periodic($0) } ?? map["report"]?.schedule
        device.zeroElevationMeters = map["zero_elevation_m"]?.number(in: -500...9000, "zero_elevation_m")
        device.mountHeightMeters = map["mount_height_m"]?.number(in: -100...1000, "mount_height_m")
        device.surveys = map["surveys"].map(SiteFile.surveys) ?? []
        device.address = map["address"]?.text ?? ""
        device.isTest = map["test"]?.bool ?? false
        device.installedAt = map["installed"]?.date
        guard let place, let modelPlace, id != nil, model != nil else { return nil }
        return DeclaredDevice(device: device, place: place, modelPlace: modelPlace, addressPlace: map["address"])
    }
}
