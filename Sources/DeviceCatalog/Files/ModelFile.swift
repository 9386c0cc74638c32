// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry

/// Reads `Devices/models/<vendor>/<model>.yaml`.
enum ModelFile {
    /// - Parameters:
    ///   - root: The file's document.
    ///   - id: `vendor/model`, from the path.
    /// - Returns: The model as far as it could be read; what is wrong is reported.
    static func read(_ root: YAMLValue, id: String) -> DeviceModel? {
        guard
            let map = root.mapping(keys: ["model", "name", "channels", "report", "hj212", "payload", "source", "notes"])
        else {
            return nil
        }
        if let name = map["model"], let text = name.string, text != id {
            name.report(
                "the file is model '\(id)' by its path, but says '\(text)'",
                zh: "按路径该文件为型号“\(id)”，文件中却写“\(text)”"
            )
        }
        for key in ["name", "source", "notes"] { _ = map[key]?.text }
        let schedule = map["report"]?.schedule
        var channels: [Channel] = []
        var optional: [Channel] = []
        for entry in map.required("channels")?.anyMapping()?.entries ?? [] {
            guard self.checkMetric(entry.key, entry.keyValue) else { continue }
            let values = entry.value.isList ? entry.value.list ?? [] : [entry.value]
            for value in values {
                guard let channel = self.channel(value, metric: entry.key, schedule: schedule) else { continue }
                self.checkDistinct(channel.channel, among: channels + optional, at: value)
                if channel.isOptional { optional.append(channel.channel) } else { channels.append(channel.channel) }
            }
        }
        if channels.isEmpty, optional.isEmpty { root.report("a model has at least one channel", zh: "型号至少要有一个通道") }
        return DeviceModel(
            id: id,
            channels: channels,
            optionalChannels: optional,
            takesAnyMetric: false,
            schedule: schedule,
            hj212: self.hj212(map["hj212"]),
            payload: map["payload"].flatMap { LayoutFile.read($0, keys: Set((channels + optional).map(\.key))) }
        )
    }

    private static func hj212(_ value: YAMLValue?) -> HJ212Dialect {
        var dialect = HJ212Dialect()
        guard let map = value?.mapping(keys: ["check", "minute_interval"]) else { return dialect }
        if let check = map["check"], let text = check.string {
            dialect.takesModbusCheck = text == "modbus"
            if text != "modbus", text != "standard" {
                check.report(
                    "'check' is 'standard', or 'modbus' where firmware sends CRC-16/MODBUS; found '\(text)'",
                    zh: "check 应为 standard；固件用 CRC-16/MODBUS 时为 modbus；现为“\(text)”"
                )
            }
        }
        if let interval = map["minute_interval"]?.span { dialect.minuteInterval = interval }
        return dialect
    }

    private static func checkMetric(_ metric: String, _ place: YAMLValue) -> Bool {
        guard !MetricName.isAcceptable(metric) else { return true }
        let nearest = MetricName.nearest(to: metric)
        place.report(
            "'\(metric)' is no metric name; they are lower-case words joined by '_' and end with their unit, like "
                + "water_level_meters" + (nearest.map { "; did you mean '\($0)'?" } ?? ""),
            zh: "“\(metric)”不是要素名；应为小写单词，以 _ 连接，末尾为单位，如 water_level_meters"
                + (nearest.map { "；是否为“\($0)”？" } ?? "")
        )
        return false
    }

    private static func channel(
        _ value: YAMLValue,
        metric: String,
        schedule: ReportSchedule?
    ) -> (channel: Channel, isOptional: Bool)? {
        let keys = [
            "key", "unit", "min", "max", "zero", "depth", "position", "sensor", "report", "stuck_after", "optional",
            "qc",
        ]
        guard let map = value.mapping(keys: keys) else { return nil }
        let canonical = Unit(ofMetric: metric)
        var channel = Channel(
            metric: metric,
            key: map["key"]?.text ?? metric,
            unit: self.unit(map["unit"], of: metric) ?? canonical,
            minimum: nil,
            maximum: nil,
            addsZeroElevation: false,
            labels: .empty,
            schedule: map["report"].map(\.schedule) ?? schedule
        )
        (channel.minimum, channel.maximum) = self.bounds(map, channel)
        channel.stuckAfter = map["stuck_after"]?.span
        if metric == RainCounter.metric {
            map["stuck_after"]?
                .report(
                    "a counter of rain stands while it does not rain; leave 'stuck_after' out",
                    zh: "雨量累计值在无雨时本来不变；请去掉 stuck_after"
                )
        }
        if let zero = map["zero"], let text = zero.string {
            channel.addsZeroElevation = text == "site"
            if text != "site" {
                zero.report("'zero' is 'site' or is left out, found '\(text)'", zh: "zero 只能为 site，或不填；现为“\(text)”")
            }
            if canonical != .meters {
                zero.report("a zero elevation is in metres; '\(metric)' is not", zh: "零点高程以米计，而 \(metric) 不是")
            }
        }
        channel.quality = map["qc"].flatMap { QualityFields.read($0, of: channel) }
        for label in ["depth", "position", "sensor"] {
            guard let text = map[label]?.text else { continue }
            channel.labels[label] = text
        }
        return (channel, map["optional"]?.bool ?? false)
    }

    private static func unit(_ value: YAMLValue?, of metric: String) -> Unit? {
        guard let value, let text = value.string else { return nil }
        let canonical = Unit(ofMetric: metric)
        let fitting = Unit.all.filter { $0.measuring(canonical) != nil }.map(\.symbol).joined(separator: ", ")
        guard let unit = Unit(named: text) else {
            value.report(
                "unit '\(text)' is not known; \(metric) takes \(fitting)",
                zh: "未知的单位“\(text)”；\(metric) 可用 \(fitting)"
            )
            return nil
        }
        guard let unit = unit.measuring(canonical) else {
            value.report(
                "unit '\(text)' does not fit \(metric), which is in \(canonical.symbol); it takes \(fitting)",
                zh: "单位“\(text)”不适用于 \(metric)（单位为 \(canonical.symbol)）；可用 \(fitting)"
            )
            return nil
        }
        return unit
    }

    /// The bounds in the payload's unit, checked against what is physically possible.
    private static func bounds(_ map: YAMLMapping, _ channel: Channel) -> (minimum: Double?, maximum: Double?) {
        let range = MetricName.physicalRange(of: channel.metric)
        func bound(_ key: String) -> Double? {
            guard let value = map[key], let number = value.double else { return nil }
            let canonical = channel.unit.toCanonical(number)
            // The conversion of an exact limit may miss it by a rounding.
            let slack = 1e-9 * max(1, abs(range.lowerBound), abs(range.upperBound))
            guard canonical >= range.lowerBound - slack, canonical <= range.upperBound + slack else {
                let unit = Unit(ofMetric: channel.metric).symbol
                value.report(
                    "\(key) \(number) \(channel.unit.symbol) is not physically possible for \(channel.metric); "
                        + "possible is \(range.lowerBound) to \(range.upperBound) \(unit)",
                    zh: "\(key) \(number) \(channel.unit.symbol) 超出 \(channel.metric) 的物理范围：\(range.lowerBound) 至 "
                        + "\(range.upperBound) \(unit)"
                )
                return nil
            }
            return number
        }
        let (minimum, maximum) = (bound("min"), bound("max"))
        if let minimum, let maximum, minimum >= maximum {
            map["min"]?.report("min \(minimum) is not below max \(maximum)", zh: "min \(minimum) 应小于 max \(maximum)")
        }
        return (minimum, maximum)
    }

    private static func checkDistinct(_ channel: Channel, among others: [Channel], at place: YAMLValue) {
        if others.contains(where: { $0.key == channel.key }) {
            place.report(
                "key '\(channel.key)' is used by another channel; each channel has a key of its own",
                zh: "key“\(channel.key)”已用于另一通道；各通道的 key 不能相同"
            )
        }
        if others.contains(where: { $0.metric == channel.metric && $0.labels == channel.labels }) {
            place.report(
                "a second \(channel.metric) needs a depth, position or sensor of its own",
                zh: "第二个 \(channel.metric) 须以 depth、position 或 sensor 区分"
            )
        }
    }
}
