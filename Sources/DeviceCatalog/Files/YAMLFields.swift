// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry

extension YAMLValue {
    /// A text that is not blank.
    var text: String? {
        guard let text = self.string else { return nil }
        guard text.contains(where: { !$0.isWhitespace }) else {
            self.report("the text is blank; fill it or leave the key out", zh: "内容为空白；请填写或去掉该项")
            return nil
        }
        return text
    }

    /// The id of a site, area or device.
    var identifier: String? {
        guard let text = self.string else { return nil }
        guard Identifier.isValid(text) else {
            self.report(
                "'\(text)' is no id; 1 to 64 characters of A-Z a-z 0-9 . _ : - are",
                zh: "“\(text)”不是有效编号；编号为 1 至 64 个字符：A-Z a-z 0-9 . _ : -"
            )
            return nil
        }
        return text
    }

    /// A duration that is longer than zero: `5m`, `24h`.
    var span: Milliseconds? {
        guard let text = self.string else { return nil }
        guard let span = PrometheusDuration.parse(text), span > 0, span <= 366 * .day else {
            self.report(
                "'\(text)' is no duration; write it like 5m, 1h30m or 1d, longer than zero and at most 366d",
                zh: "“\(text)”不是时长；请写成 5m、1h30m 或 1d，大于零且不超过 366d"
            )
            return nil
        }
        return span
    }

    /// A day, read as its 00:00 +08:00.
    var date: Timestamp? {
        guard let text = self.string else { return nil }
        let isDate = text.utf8.count == 10
        guard isDate, let day = Timestamp(rfc3339: text, defaultOffsetMinutes: Timestamp.chinaOffsetMinutes) else {
            self.report(
                "'\(text)' is no date; write it as year-month-day like 2023-04-24, read as 00:00 +08:00",
                zh: "“\(text)”不是日期；请写成 年-月-日，如 2023-04-24（按北京时间 0 时）"
            )
            return nil
        }
        return day
    }

    /// A finite number inside `range`.
    func number(in range: ClosedRange<Double>, _ what: String) -> Double? {
        guard let number = self.double else { return nil }
        guard range.contains(number) else {
            self.report(
                "\(what) is \(number); it must be from \(range.lowerBound) to \(range.upperBound)",
                zh: "\(what) 为 \(number)；应在 \(range.lowerBound) 至 \(range.upperBound) 之间"
            )
            return nil
        }
        return number
    }

    /// One of a few words.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(_ what: String, of type: Choice.Type) -> Choice? {
        guard let text = self.string else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            self.report("'\(text)' is no \(what); it is one of \(known)", zh: "“\(text)”不是有效的 \(what)；可选：\(known)")
            return nil
        }
        return choice
    }

    /// `{ zh: 星子, en: Xingzi }`, or one text for both.
    var localizedName: LocalizedName? {
        if self.isScalar { return self.text.map { LocalizedName(zh: $0, en: $0) } }
        guard let map = self.mapping(keys: ["zh", "en"]), let zh = map.required("zh")?.text else { return nil }
        return LocalizedName(zh: zh, en: map["en"]?.text ?? zh)
    }

    /// A GB/T 2260 code of a county, six digits, or with those of a township (nine) or village (twelve) behind it.
    var adminCode: String? {
        guard let text = self.string else { return nil }
        guard [6, 9, 12].contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            self.report(
                "'\(text)' is no admin code; GB/T 2260 codes have six digits, in quotes: \"360483\"; townships have nine",
                zh: "“\(text)”不是行政区划代码；县级按 GB/T 2260 为 6 位数字，加引号：\"360483\"；乡镇为 9 位"
            )
            return nil
        }
        return text
    }

    /// `{ every: 5m }` or `{ event: true, heartbeat: 24h }`.
    var schedule: ReportSchedule? {
        guard let map = self.mapping(keys: ["every", "event", "heartbeat"]) else { return nil }
        let isEvent = map["event"]?.bool ?? false
        switch (map["every"], isEvent) {
        case (.some(let every), false):
            map["heartbeat"]?
                .report(
                    "'heartbeat' belongs to { event: true, heartbeat: … }; a periodic channel has none",
                    zh: "heartbeat 只用于 { event: true, heartbeat: … }；定时上报的通道没有"
                )
            return every.span.map { .periodic($0) }
        case (.none, true): return map.required("heartbeat")?.span.map { .event(heartbeat: $0) }
        case (.some, true), (.none, false):
            self.report(
                "say either { every: 5m } or { event: true, heartbeat: 24h }",
                zh: "请写 { every: 5m } 或 { event: true, heartbeat: 24h }"
            )
            return nil
        }
    }

    var place: Place {
        Place(file: self.file, line: self.line, column: self.column)
    }
}
