// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Telemetry

/// What a hazard's value is called, and which way danger lies.
struct HazardQuantity {
    enum Danger {
        case above
        case below
        /// Only the rule's summary can say what the value is: hours to come, a class. At the end it means nothing.
        case spoken
        /// Not known, or not the whole of it: the rule's summary speaks while it lasts.
        case either
    }

    let noun: LocalizedName
    /// Where no threshold of the site says the unit.
    let symbol: String
    let danger: Danger
    /// Whether the value is a reading as it came, and not computed over a window.
    let isReading: Bool

    init(_ hazard: Hazard) {
        switch hazard {
        case .flood: self.init("水位", "water level", "m", .above)
        case .floodRise: self.init("涨率", "rise", "m/h", .above, isReading: false)
        // The summary says over how long it was summed.
        case .rain: self.init("累计雨量", "accumulated rain", "mm", .either, isReading: false)
        case .floodProjection: self.init("预计时间", "time to the threshold", "h", .spoken, isReading: false)
        case .reservoir, .polder, .polderLarge: self.init("水位", "water level", "m", .above)
        case .lowWater, .lowWaterSeason: self.init("水位", "water level", "m", .below)
        case .soilDrought: self.init("土壤相对湿度", "relative soil moisture", "%", .below, isReading: false)
        case .dissolvedOxygen: self.init("溶解氧", "dissolved oxygen", "mg/L", .below)
        case .dissolvedOxygenProjection: self.init("溶解氧", "dissolved oxygen", "mg/L", .spoken, isReading: false)
        case .waterQuality, .fisheryWater, .irrigationWater, .rice, .deviceHealth:
            self.init("数值", "value", "", .spoken, isReading: false)
        default: self.init("数值", "value", "", .either, isReading: false)
        }
    }

    private init(
        _ chinese: String,
        _ english: String,
        _ symbol: String,
        _ danger: Danger,
        isReading: Bool = true
    ) {
        self.noun = LocalizedName(zh: chinese, en: english)
        self.symbol = symbol
        self.danger = danger
        self.isReading = isReading
    }
}

/// `19.07`, `18.867`, `50`: metres and metres per hour with two or three decimals, all else with up to three.
func decimal(_ value: Double, unit: String) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    let thousandths = (value * 1000).rounded()
    var text = String(format: "%.3f", thousandths == 0 ? 0 : thousandths / 1000)
    let least = unit == "m" || unit == "m/h" ? 1 : 3
    for _ in 0..<least where text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
}

/// A value with its unit: `19.07 m`.
func quantity(_ value: Double, unit: String) -> String {
    let number = decimal(value, unit: unit)
    return unit.isEmpty ? number : "\(number) \(unit)"
}

/// Local time to the minute: `2022-06-21 16:00`.
func localMinute(_ moment: Timestamp) -> String {
    String(moment.rfc3339().prefix(16)).replacingOccurrences(of: "T", with: " ")
}

/// How a threshold is called in a sentence.
struct ThresholdWording {
    /// As 警戒; `nil` where the file gives only a colour.
    let name: String?
    let englishName: String

    init(_ threshold: Threshold?) {
        let name = threshold?.name ?? ""
        let isColour = WarningLevel.allCases.contains { name.hasPrefix($0.chinese) }
        self.name = name.isEmpty || isColour ? nil : name
        let translations = [
            ("警戒", "the warning stage"), ("保证", "the guarantee stage"), ("历史最高", "the record high"),
            ("历史最低", "the record low"),
        ]
        let translation = translations.first { name.hasPrefix($0.0) }?.1 ?? "the threshold"
        // The year of a record, as in `历史最高 (1998)`, is said in both languages.
        let year = name.drop { $0 != "(" }
        self.englishName = year.isEmpty ? translation : "\(translation) \(year)"
    }
}

/// A value beside its threshold: `水位 19.07 m，超警戒 0.07 m`.
func comparison(
    value: Double?,
    threshold: Double?,
    wording: ThresholdWording,
    unit: String,
    quantity noun: HazardQuantity
) -> LocalizedName? {
    guard let value else { return nil }
    let zh = "\(noun.noun.zh) \(quantity(value, unit: unit))"
    let en = "\(noun.noun.en) \(quantity(value, unit: unit))"
    guard let threshold else { return LocalizedName(zh: zh, en: en) }
    let limit = quantity(threshold, unit: unit)
    let difference = ((value - threshold) * 1000).rounded() / 1000
    let distance = quantity(abs(difference), unit: unit)
    let named = "\(wording.name ?? "阈值")（\(limit)）"
    if difference == 0 {
        return LocalizedName(zh: "\(zh)，达到\(named)", en: "\(en), at \(wording.englishName) \(limit)")
    }
    if difference > 0 {
        let short = noun.danger == .above ? wording.name.map { "超\($0) \(distance)" } : nil
        return LocalizedName(
            zh: "\(zh)，" + (short ?? "高于\(named)\(distance)"),
            en: "\(en), \(distance) above \(wording.englishName) \(limit)"
        )
    }
    return LocalizedName(
        zh: "\(zh)，低于\(named)\(distance)",
        en: "\(en), \(distance) below \(wording.englishName) \(limit)"
    )
}
