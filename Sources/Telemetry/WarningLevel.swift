// poyang
// SPDX-License-Identifier: Apache-2.0

/// How grave a warning is; `notice` states a fact and has no colour.
package enum WarningLevel: String, CaseIterable, Comparable, Sendable, Codable {
    case notice
    case blue
    case yellow
    case orange
    case red

    package static func < (left: WarningLevel, right: WarningLevel) -> Bool { left.rank < right.rank }

    private var rank: Int { WarningLevel.allCases.firstIndex(of: self) ?? 0 }

    package var chinese: String {
        switch self {
        case .notice: "提示"
        case .blue: "蓝色"
        case .yellow: "黄色"
        case .orange: "橙色"
        case .red: "红色"
        }
    }
}

/// What a warning is about; the label `hazard` of a rule.
package struct Hazard: Hashable, Sendable, RawRepresentable, Codable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    package init(from decoder: any Decoder) throws {
        self.rawValue = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.rawValue)
    }

    package static let flood = Hazard(rawValue: "flood")
    package static let floodRise = Hazard(rawValue: "flood_rise")
    /// The level will reach a threshold within hours if it goes on rising as it does.
    package static let floodProjection = Hazard(rawValue: "flood_projection")
    package static let rain = Hazard(rawValue: "rain")
    package static let lowWater = Hazard(rawValue: "low_water")
    package static let lowWaterSeason = Hazard(rawValue: "low_water_season")
    package static let soilDrought = Hazard(rawValue: "soil_drought")
    package static let dissolvedOxygen = Hazard(rawValue: "dissolved_oxygen")
    package static let dissolvedOxygenProjection = Hazard(rawValue: "dissolved_oxygen_projection")
    package static let fisheryWater = Hazard(rawValue: "fishery_water")
    package static let waterQuality = Hazard(rawValue: "water_quality")
    package static let irrigationWater = Hazard(rawValue: "irrigation_water")
    /// The level of a reservoir against its limit of the season (汛限水位).
    package static let reservoir = Hazard(rawValue: "reservoir")
    /// The level at which the polders of less than 10,000 mu (万亩) that were given back to the lake are opened, and
    /// that of the larger ones.
    package static let polder = Hazard(rawValue: "polder")
    package static let polderLarge = Hazard(rawValue: "polder_large")
    package static let rice = Hazard(rawValue: "rice")
    package static let deviceHealth = Hazard(rawValue: "device_health")
    package static let silence = Hazard(rawValue: "silence")
    package static let system = Hazard(rawValue: "system")

    /// Those that have a name of their own; others may be of somebody's own rules.
    package static let known: [Hazard] = [
        .flood, .floodRise, .floodProjection, .rain, .lowWater, .lowWaterSeason, .soilDrought, .dissolvedOxygen,
        .dissolvedOxygenProjection, .fisheryWater, .waterQuality, .irrigationWater, .reservoir, .polder, .polderLarge,
        .rice, .deviceHealth, .silence, .system,
    ]

    /// The event's name in both languages; the one table of them.
    ///
    /// A hazard of somebody's own rules keeps its slug.
    package var eventName: LocalizedName {
        switch self {
        case .flood: LocalizedName(zh: "洪水", en: "Flood")
        case .floodRise: LocalizedName(zh: "水位急涨", en: "Rapid rise")
        case .floodProjection: LocalizedName(zh: "水位趋势", en: "Projected level")
        case .rain: LocalizedName(zh: "累计雨量告警", en: "Accumulated rain")
        case .lowWater: LocalizedName(zh: "枯水", en: "Low water")
        case .lowWaterSeason: LocalizedName(zh: "枯水期", en: "Low-water season")
        case .soilDrought: LocalizedName(zh: "土壤干旱", en: "Soil drought")
        case .dissolvedOxygen: LocalizedName(zh: "溶解氧偏低", en: "Low dissolved oxygen")
        case .dissolvedOxygenProjection: LocalizedName(zh: "溶解氧趋势", en: "Projected dissolved oxygen")
        case .fisheryWater: LocalizedName(zh: "渔业水质", en: "Fishery water quality")
        case .waterQuality: LocalizedName(zh: "水质类别", en: "Water quality class")
        case .irrigationWater: LocalizedName(zh: "灌溉水质", en: "Irrigation water quality")
        case .reservoir: LocalizedName(zh: "水库超汛限", en: "Reservoir above its flood limit")
        case .polder: LocalizedName(zh: "万亩以下单退圩堤进洪水位", en: "Opening level of polders below 10,000 mu")
        case .polderLarge: LocalizedName(zh: "万亩以上单退圩堤进洪水位", en: "Opening level of polders above 10,000 mu")
        case .rice: LocalizedName(zh: "水稻农业气象", en: "Rice weather")
        case .deviceHealth: LocalizedName(zh: "设备状态", en: "Device health")
        case .silence: LocalizedName(zh: "设备失联", en: "Device silent")
        case .system: LocalizedName(zh: "系统告警", en: "System warning")
        default: LocalizedName(zh: self.rawValue, en: self.rawValue)
        }
    }

    /// Whether the state is only shown, and nobody is warned of it.
    package var isStatusOnly: Bool { self == .lowWaterSeason }
}

/// A name in Chinese and in English.
package struct LocalizedName: Hashable, Sendable, Codable {
    package var zh: String
    package var en: String

    package init(zh: String, en: String) {
        self.zh = zh
        self.en = en
    }
}
