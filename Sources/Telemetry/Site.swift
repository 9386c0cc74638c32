// poyang
// SPDX-License-Identifier: Apache-2.0

/// What kind of place is watched.
package enum SiteKind: String, CaseIterable, Sendable, Codable {
    case field
    case river
    case lake
    case reservoir
    case rain
    case pond
}

/// How sure a fact is: `verified`, `memory`, `approximate`, `demo`, … as its file says.
package typealias Confidence = String

/// A vertical datum and its offset to the national one.
package struct Datum: Hashable, Sendable {
    /// Such as `wusong` 吴淞, `frozen` 冻结, `1985` national, `local` for a gauge's own zero.
    package var name: String
    /// Added to a level in this datum it gives the level in the 1985 national datum; unknown where absent.
    package var offsetTo1985Meters: Double?
    package var validFrom: Timestamp?
    package var source: String

    package init(name: String, offsetTo1985Meters: Double?, validFrom: Timestamp?, source: String) {
        self.name = name
        self.offsetTo1985Meters = offsetTo1985Meters
        self.validFrom = validFrom
        self.source = source
    }
}

/// A position for display; WGS-84 degrees.
package struct Position: Hashable, Sendable {
    /// From −90 to 90.
    package var latitude: Double
    /// From −180 to 180.
    package var longitude: Double
    package var confidence: Confidence

    package init(latitude: Double, longitude: Double, confidence: Confidence) {
        self.latitude = latitude
        self.longitude = longitude
        self.confidence = confidence
    }
}

/// A value at which a warning level begins, for a span of dates.
package struct Threshold: Hashable, Sendable {
    package var hazard: Hazard
    package var level: WarningLevel
    /// The local term: 警戒, 保证, 历史最低.
    package var name: String
    /// In the canonical ``unit`` and, for levels, in the site's own datum.
    package var value: Double
    package var unit: Unit
    /// Inclusive, 00:00 +08:00 of the day in the file.
    package var validFrom: Timestamp
    /// Exclusive; absent while it is in force.
    package var validTo: Timestamp?
    package var authority: String
    package var source: String
    package var confidence: Confidence
    /// The part of the year in which it holds; all of it where absent.
    package var season: Season?
    /// Over how long a sum is compared with it: rain of 1 h, of 24 h; absent for what is compared as it is.
    package var window: Milliseconds?

    package init(
        hazard: Hazard,
        level: WarningLevel,
        name: String,
        value: Double,
        unit: Unit,
        validFrom: Timestamp,
        validTo: Timestamp?,
        authority: String,
        source: String,
        confidence: Confidence,
        season: Season? = nil,
        window: Milliseconds? = nil
    ) {
        self.hazard = hazard
        self.level = level
        self.name = name
        self.value = value
        self.unit = unit
        self.validFrom = validFrom
        self.validTo = validTo
        self.authority = authority
        self.source = source
        self.confidence = confidence
        self.season = season
        self.window = window
    }

    /// Whether it is in force: its dates, and its season where it has one.
    package func isValid(at moment: Timestamp) -> Bool {
        moment >= self.validFrom && self.validTo.map { moment < $0 } ?? true && self.season?.contains(moment) ?? true
    }
}

/// What the soil of a field can hold; without it its moisture is not graded.
package struct Soil: Hashable, Sendable {
    /// Water at field capacity (田间持水量), in percent of the volume; above 0.
    package var fieldCapacityPercent: Double
    package var source: String
    package var confidence: Confidence

    package init(fieldCapacityPercent: Double, source: String, confidence: Confidence) {
        self.fieldCapacityPercent = fieldCapacityPercent
        self.source = source
        self.confidence = confidence
    }
}

/// A place that is watched.
package struct Site: Hashable, Sendable {
    /// Of the form `[A-Za-z0-9._:-]{1,64}`.
    package var id: String
    package var name: LocalizedName
    package var kind: SiteKind
    /// The cooperative or bureau that owns it; empty where none is registered.
    package var org: String
    package var basin: String
    /// GB/T 2260 code of the county, six digits; empty when not known.
    package var adminCode: String
    package var county: String
    /// Official codes by scheme (`sl502: 62302250`), only where verified.
    package var codes: [String: String]
    package var position: Position?
    package var datum: Datum?
    package var soil: Soil?
    package var thresholds: [Threshold]
    /// By metric: what the site's own values must pass in place of what its devices' models say.
    package var quality: [String: QualityOverride] = [:]

    package init(
        id: String,
        name: LocalizedName,
        kind: SiteKind,
        org: String = "",
        basin: String = "",
        adminCode: String = "",
        county: String = "",
        codes: [String: String] = [:],
        position: Position? = nil,
        datum: Datum? = nil,
        soil: Soil? = nil,
        thresholds: [Threshold] = []
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.org = org
        self.basin = basin
        self.adminCode = adminCode
        self.county = county
        self.codes = codes
        self.position = position
        self.datum = datum
        self.soil = soil
        self.thresholds = thresholds
    }

    /// The names of the labels that every series of a site shows without storing them.
    package static let virtualLabelNames: Set<String> = ["org", "county", "basin", "kind", "admin_code"]

    /// The site's attributes as labels; those that are not known are left out.
    package var virtualLabels: Labels {
        Labels([
            "org": self.org, "county": self.county, "basin": self.basin, "kind": self.kind.rawValue,
            "admin_code": self.adminCode,
        ])
    }
}

/// A place or a group of people that is warned; refers to sites.
package struct Area: Hashable, Sendable {
    package var id: String
    package var name: LocalizedName
    package var org: String
    package var adminCode: String
    package var sites: [String]
    package var contacts: [String]

    package init(
        id: String,
        name: LocalizedName,
        org: String,
        adminCode: String,
        sites: [String],
        contacts: [String]
    ) {
        self.id = id
        self.name = name
        self.org = org
        self.adminCode = adminCode
        self.sites = sites
        self.contacts = contacts
    }
}
