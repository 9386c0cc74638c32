// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry

/// Reads the thresholds of a site and checks them against each other.
enum ThresholdList {
    private struct Entry {
        let threshold: Threshold
        let place: YAMLValue
    }

    /// What a hazard's thresholds look like.
    private struct Form {
        let units: [String]
        /// Whether a graver level has the lower value; `nil` where the order is not known.
        let falls: Bool?
        /// Whether it is compared with sums over a window.
        var isSum = false
    }

    private static let forms: [Hazard: Form] = [
        .flood: Form(units: ["meters", "cubic_meters_per_second"], falls: false),
        .floodRise: Form(units: ["meters_per_hour"], falls: false),
        .rain: Form(units: ["millimeters"], falls: false, isSum: true),
        .lowWater: Form(units: ["meters", "cubic_meters_per_second"], falls: true),
        .lowWaterSeason: Form(units: ["meters"], falls: true),
        .soilDrought: Form(units: ["percent"], falls: true),
        .dissolvedOxygen: Form(units: ["milligrams_per_liter"], falls: true),
        .reservoir: Form(units: ["meters"], falls: false),
        .polder: Form(units: ["meters"], falls: false),
        .polderLarge: Form(units: ["meters"], falls: false),
        .waterQuality: Form(units: [""], falls: false),
        .deviceHealth: Form(units: ["volts"], falls: true),
    ]

    static func read(_ list: [YAMLValue], site: Site) -> [Threshold] {
        let entries = list.compactMap { value in
            self.threshold(value, site: site).map { Entry(threshold: $0, place: value) }
        }
        for (index, later) in entries.enumerated() {
            for earlier in entries[..<index] { self.check(earlier, later) }
        }
        return entries.map(\.threshold)
    }

    private static let keys = [
        "hazard", "level", "name", "value", "unit", "datum", "season", "window", "valid_from", "valid_to", "authority",
        "source", "confidence",
    ]

    static func threshold(_ value: YAMLValue, site: Site) -> Threshold? {
        guard let map = value.mapping(keys: self.keys) else { return nil }
        let hazard = map.required("hazard").flatMap(self.hazard)
        let level = map.required("level")?.choice("level", of: WarningLevel.self)
        let number = map.required("value")?.number(in: -1e12...1e12, "value")
        let from = map.required("valid_from")?.date
        let to = map["valid_to"]?.date
        if let from, let to, to <= from {
            map["valid_to"]?
                .report("valid_to is exclusive and must be after valid_from", zh: "valid_to 当天不含在内，应晚于 valid_from")
        }
        let authority = map.required("authority")?.text
        let source = map.required("source")?.text
        let confidence = map.required("confidence")?.text
        let name = map["name"]?.text ?? ""
        let season = map["season"].map(self.season)
        let window = hazard.flatMap { self.window(map, $0) }
        guard let hazard, let level, let number, let from, let unit = self.unit(map, hazard) else { return nil }
        guard let converted = self.inSiteDatum(unit.toCanonical(number), map, unit, from, site) else { return nil }
        return Threshold(
            hazard: hazard,
            level: level,
            name: name,
            value: (converted * 1e9).rounded() / 1e9,
            unit: Unit(named: unit.canonical) ?? unit,
            validFrom: from,
            validTo: to,
            authority: authority ?? "",
            source: source ?? "",
            confidence: confidence ?? "",
            season: season ?? nil,
            window: window
        )
    }

    /// Rain is summed over a window, and every other value is compared as it is.
    private static func window(_ map: YAMLMapping, _ hazard: Hazard) -> Milliseconds? {
        guard self.forms[hazard]?.isSum ?? false else {
            map["window"]?
                .report(
                    "only rain is summed over a window; hazard '\(hazard.rawValue)' has none",
                    zh: "只有雨量按时段累计；“\(hazard.rawValue)”没有 window"
                )
            return nil
        }
        return map.required("window")?.span
    }

    private static func hazard(_ value: YAMLValue) -> Hazard? {
        guard let text = value.string else { return nil }
        guard MetricName.isWellFormed(text) else {
            value.report(
                "'\(text)' is no hazard; they are lower-case words joined by '_', like flood or low_water",
                zh: "“\(text)”不是灾害类别；应为小写单词，以 _ 连接，如 flood、low_water"
            )
            return nil
        }
        return Hazard(rawValue: text)
    }

    private static func unit(_ map: YAMLMapping, _ hazard: Hazard) -> Unit? {
        let fitting = self.forms[hazard]?.units
        guard let value = map["unit"] else {
            if let first = fitting?.first { return Unit(named: first) }
            map.value.report(
                "'unit' is missing; hazard '\(hazard.rawValue)' has none by default",
                zh: "缺少“unit”；“\(hazard.rawValue)”没有默认单位"
            )
            return nil
        }
        guard let text = value.string else { return nil }
        guard let unit = Unit(named: text) else {
            value.report(
                "unit '\(text)' is not known; write it like m, m/h, mm or m³/s",
                zh: "未知的单位“\(text)”；请写成 m、m/h、mm 或 m³/s"
            )
            return nil
        }
        if let fitting, !fitting.contains(unit.canonical) {
            let symbols = fitting.compactMap { Unit(named: $0)?.symbol }.joined(separator: " / ")
            value.report(
                "unit '\(text)' does not fit hazard '\(hazard.rawValue)', which is in \(symbols)",
                zh: "单位“\(text)”与“\(hazard.rawValue)”不符，其单位为 \(symbols)"
            )
            return nil
        }
        return unit
    }

    /// A level in the site's own datum; it is converted by the known offset or refused, never guessed.
    private static func inSiteDatum(
        _ number: Double,
        _ map: YAMLMapping,
        _ unit: Unit,
        _ from: Timestamp,
        _ site: Site
    ) -> Double? {
        guard let place = map["datum"], let given = place.string else { return number }
        guard unit.canonical == "meters" else {
            place.report("only levels have a datum; \(unit.symbol) has none", zh: "只有水位有基面；\(unit.symbol) 没有")
            return nil
        }
        guard let own = site.datum else {
            place.report(
                "the threshold is in datum '\(given)', but the site says no datum; give the site's `datum`",
                zh: "阈值的基面为“\(given)”，但站点未注明基面；请为站点填写 datum"
            )
            return nil
        }
        guard let converted = own.level(number, from: given) else {
            place.report(
                "the threshold is in datum '\(given)', the site in '\(own.name)', and the offset between them is not "
                    + "known here; give the value in '\(own.name)'",
                zh: "阈值的基面为“\(given)”，站点为“\(own.name)”，两者的差值未知；请按“\(own.name)”填写"
            )
            return nil
        }
        if given != own.name, let since = own.validFrom, from < since {
            place.report(
                "the offset is known from \(since.day) on; before that the value must be in '\(own.name)'",
                zh: "基面差值自 \(since.day) 起才已知；此前请按“\(own.name)”填写"
            )
            return nil
        }
        return converted
    }

    private static func season(_ value: YAMLValue) -> Season? {
        guard let map = value.mapping(keys: ["from", "to"]), let from = map.required("from").flatMap(self.monthDay),
            let to = map.required("to").flatMap(self.monthDay)
        else { return nil }
        if from == to {
            value.report("the season is empty or the whole year; leave it out for the whole year", zh: "时段为空或为全年；全年请不填")
        }
        return Season(from: from, to: to)
    }

    private static func monthDay(_ value: YAMLValue) -> Season.MonthDay? {
        guard let text = value.string else { return nil }
        guard let day = Season.MonthDay(parsing: text) else {
            value.report(
                "'\(text)' is no day of the year; write month-day like 04-01",
                zh: "“\(text)”不是月日；请写成 月-日，如 04-01"
            )
            return nil
        }
        return day
    }
}

// MARK: - Checks between two thresholds

extension ThresholdList {
    private static func check(_ earlier: Entry, _ later: Entry) {
        let line = earlier.place.place.line
        guard let message = self.conflict(earlier.threshold, later.threshold, line: line) else { return }
        later.place.report(message.en, zh: message.zh)
    }

    /// Compares two thresholds of one site.
    ///
    /// - Parameters:
    ///   - left: The one that was there before.
    ///   - right: The other.
    ///   - line: Where the first stands in the file; nil where it is registered.
    /// - Returns: Why they cannot stand beside each other; nil where they can.
    static func conflict(_ left: Threshold, _ right: Threshold, line: Int?) -> LocalizedName? {
        guard left.hazard == right.hazard, left.unit == right.unit, left.window == right.window, left.overlaps(right)
        else { return nil }
        guard left.level != right.level else {
            let what = "\(left.hazard.rawValue) \(left.level.rawValue)"
            return LocalizedName(
                zh: "\(what) 在同一时间有两个值：\(left.inWords.zh)（\(line.map { "第 \($0) 行" } ?? "已登记")）"
                    + "和 \(right.inWords.zh)；请用 valid_to 结束较早的一个",
                en:
                    "\(what) has two values at one time: \(left.inWords.en) (\(line.map { "line \($0)" } ?? "registered")) "
                    + "and \(right.inWords.en); end the older one with valid_to"
            )
        }
        guard let falls = self.forms[left.hazard]?.falls else { return nil }
        let (milder, graver) = left.level < right.level ? (left, right) : (right, left)
        guard falls ? graver.value >= milder.value : graver.value <= milder.value else { return nil }
        let (hazard, level) = (left.hazard.rawValue, graver.level.rawValue)
        return LocalizedName(
            zh: "\(hazard) 各级顺序有误：\(level) \(graver.inWords.zh)应\(falls ? "低于" : "高于")"
                + "\(milder.level.rawValue) \(milder.inWords.zh)（另一个\(line.map { "在第 \($0) 行" } ?? "已登记")）",
            en: "the \(hazard) ladder is out of order: \(level) \(graver.inWords.en) must be "
                + "\(falls ? "below" : "above") \(milder.level.rawValue) \(milder.inWords.en) (the other is "
                + "\(line.map { "on line \($0)" } ?? "registered"))"
        )
    }
}

extension Threshold {
    fileprivate var inWords: LocalizedName {
        let value = "\(self.value) \(self.unit.symbol)"
        let (start, end) = (self.validFrom.day, self.validTo?.day)
        return LocalizedName(
            zh: "\(value)（\(start) 起\(end.map { "至 \($0)" } ?? "")）",
            en: "\(value) (from \(start) \(end.map { "to \($0)" } ?? "on"))"
        )
    }

    /// Whether there is a moment at which both are in force.
    fileprivate func overlaps(_ other: Threshold) -> Bool {
        let start = max(self.validFrom, other.validFrom)
        let end = min(self.validTo ?? .distantFuture, other.validTo ?? .distantFuture)
        guard start < end else { return false }
        guard self.season != nil || other.season != nil else { return true }
        // Validity and seasons begin at midnights: looking at each day of at most two years finds every overlap.
        var day = start
        while day < min(end, start + 732 * .day) {
            if self.isValid(at: day), other.isValid(at: day) { return true }
            day = day + .day
        }
        return false
    }
}

extension Timestamp {
    /// The day in China: `2023-04-24`.
    var day: String { String(self.rfc3339().prefix(10)) }
}
