// poyang
// SPDX-License-Identifier: Apache-2.0

import StrictYAML
import Telemetry

/// Reads what a model's file says under `payload`: where the bytes of its frames hold the values.
///
/// ```yaml
/// payload:
///   form: tagged                    # or fixed, flagged
///   endian: little                  # big where it is left out
///   items:
///     - { id: 0x01, type: 0x75, fields: [{ key: battery, type: u8 }] }
///     - { id: 0x03, type: 0x67, fields: [{ key: temperature, type: s16, scale: 0.1, missing: [0x7FFF] }] }
///     - { id: 0xFF, type: 0x0A, firmware: { radix: 16, parts: [{ type: u8 }, { type: u8 }] } }    # 01 14: 1.14
///     - { id: 0xFF, type: 0x0B, length: 1 }        # known, without values
/// ```
/// `form: fixed` has `frames` (`port`, `length`, `when`, `fields`); `form: flagged` has `flags`, `start` and `blocks` (`bit`,
/// `length`, `fields`). A field without `at` stands behind the one before it.
struct LayoutFile {
    private var layout: PayloadLayout
    private let order: PayloadLayout.Order
    /// The keys of the model's channels.
    private let keys: Set<String>

    /// Nil where the layout cannot be read; what is wrong is reported.
    static func read(_ value: YAMLValue, keys: Set<String>) -> PayloadLayout? {
        let known = [
            "form", "endian", "ports", "ignore_ports", "when", "frames", "items", "flags", "start", "blocks", "trailer",
        ]
        guard let map = value.mapping(keys: known),
            let form = map.required("form")?.choice("form", of: PayloadLayout.Form.self)
        else { return nil }
        let order = map["endian"]?.choice("endian", of: PayloadLayout.Order.self) ?? .big
        var file = LayoutFile(layout: PayloadLayout(form: form), order: order, keys: keys)
        file.read(map, form)
        return file.layout
    }

    private mutating func read(_ map: YAMLMapping, _ form: PayloadLayout.Form) {
        self.layout.ports = map["ports"]?.ports ?? []
        self.layout.ignoredPorts = map["ignore_ports"]?.ports ?? []
        if let both = self.layout.ports.first(where: self.layout.ignoredPorts.contains) {
            map["ignore_ports"]?
                .report(
                    "port \(both) is among the 'ports', too; keep it in one of them",
                    zh: "端口 \(both) 也在 ports 中；请只保留一处"
                )
        }
        self.layout.conditions = self.conditions(map["when"])
        let list: String
        switch form {
        case .fixed: list = "frames"
        case .tagged: list = "items"
        case .flagged: list = "blocks"
        }
        for other in ["frames", "items", "blocks"] where other != list {
            map[other]?
                .report(
                    "'\(other)' does not belong to the form '\(form.rawValue)', which has '\(list)'",
                    zh: "form 为 \(form.rawValue) 时用 \(list)，不用 \(other)"
                )
        }
        if form == .flagged {
            self.layout.flags = map.required("flags").flatMap { self.number($0, extra: [], at: nil) }
            self.layout.start = map.required("start")?.whole(in: 0...255, "start") ?? 0
        } else {
            map["flags"]?.report("'flags' belong to the form 'flagged'", zh: "flags 只用于 form: flagged")
            self.layout.start = map["start"]?.whole(in: 0...255, "start") ?? 0
            if form == .fixed {
                map["start"]?
                    .report(
                        "'start' belongs to the forms 'tagged' and 'flagged'",
                        zh: "start 只用于 form: tagged 和 flagged"
                    )
            }
        }
        self.layout.trailer = map["trailer"]?.whole(in: 0...32, "trailer") ?? 0
        guard let blocks = map.required(list) else { return }
        for block in blocks.list ?? [] { self.block(block, form) }
        if self.layout.blocks.isEmpty {
            blocks.report("the list is empty; a layout has at least one of them", zh: "列表为空；至少要有一项")
        }
        self.checkTypes(blocks)
    }

    private mutating func block(_ value: YAMLValue, _ form: PayloadLayout.Form) {
        let keys: [String]
        switch form {
        case .fixed: keys = ["port", "length", "when", "fields", "time", "firmware"]
        case .tagged: keys = ["id", "type", "length", "when", "fields", "time", "firmware", "note"]
        case .flagged: keys = ["bit", "length", "when", "fields", "time", "firmware", "note"]
        }
        guard let map = value.mapping(keys: keys) else { return }
        var block = PayloadLayout.Block()
        block.ports = map["port"]?.ports ?? []
        switch form {
        case .fixed: break
        case .tagged:
            block.id = map.required("id")?.whole(in: 0...255, "id") ?? 0
            let isAny = map["type"]?.textIfScalar == "any"
            block.type = isAny ? PayloadLayout.anyType : map["type"]?.whole(in: 0...255, "type") ?? -1
        case .flagged: block.id = map.required("bit")?.whole(in: 0...31, "bit") ?? 0
        }
        if form != .fixed, self.layout.blocks.contains(where: { $0.id == block.id && $0.type == block.type }) {
            value.report(
                "a second one of the same \(form == .tagged ? "id and type" : "bit"); the first would hide it",
                zh: "与前面一项的 \(form == .tagged ? "id 和 type" : "bit") 相同，会被其遮盖"
            )
        }
        block.conditions = self.conditions(map["when"])
        block.time = map["time"].flatMap { self.number($0, extra: [], at: nil) }
        let (fields, end) = self.fields(map["fields"])
        block.fields = fields
        let versionEnd = self.firmware(map["firmware"], &block)
        self.length(map, value, form, end: max(end, versionEnd, block.time.map { $0.at + $0.width } ?? 0), &block)
        self.layout.blocks.append(block)
    }

    private func length(
        _ map: YAMLMapping,
        _ value: YAMLValue,
        _ form: PayloadLayout.Form,
        end: Int,
        _ block: inout PayloadLayout.Block
    ) {
        block.length = end
        guard let given = map["length"] else {
            if form != .fixed, end == 0 {
                value.report(
                    "'length' is missing; without fields nothing else says it",
                    zh: "缺少“length”；没有 fields 时无从得知长度"
                )
            }
            return
        }
        if form != .fixed, given.textIfScalar == "rest" {
            block.length = -1
            return
        }
        guard let length = given.whole(in: 0...255, "length") else { return }
        if length < end {
            given.report(
                "the fields need \(end) bytes, the length is \(length)",
                zh: "fields 需要 \(end) 字节，而 length 为 \(length)"
            )
        }
        block.length = length
    }

    /// The fields' places, and the first byte behind all that must be there.
    private mutating func fields(_ value: YAMLValue?) -> (Range<Int>, end: Int) {
        let first = self.layout.fields.count
        var next = 0
        var end = 0
        for entry in value?.list ?? [] {
            guard let field = self.field(entry, at: next) else { continue }
            self.layout.fields.append(field)
            next = max(field.number.at + field.number.width, 0)
            if field.conditions.isEmpty, !field.isOptional {
                end = max(end, field.number.at < 0 ? -field.number.at : next)
            }
        }
        return (first..<self.layout.fields.count, end)
    }

    /// The places of a version's parts; gives the first byte behind all of them.
    private mutating func firmware(_ value: YAMLValue?, _ block: inout PayloadLayout.Block) -> Int {
        guard let map = value?.mapping(keys: ["parts", "radix"]), let parts = map.required("parts") else { return 0 }
        block.versionRadix = map["radix"]?.whole(in: 2...16, "radix") ?? 10
        let first = self.layout.versionParts.count
        var next = 0
        var end = 0
        for entry in parts.list ?? [] {
            guard let number = self.number(entry, extra: [], at: next) else { continue }
            if number.kind != .unsigned {
                entry.report("a part of a version is of a type such as u8 or u16", zh: "版本号各段应为 u8、u16 等类型")
            }
            self.layout.versionParts.append(number)
            next = max(number.at + number.width, 0)
            end = max(end, number.at < 0 ? -number.at : next)
        }
        block.version = first..<self.layout.versionParts.count
        if !(1...8).contains(block.version.count) { parts.report("a version has 1 to 8 parts", zh: "版本号应有 1 至 8 段") }
        return end
    }

    private mutating func field(_ value: YAMLValue, at next: Int) -> PayloadLayout.Field? {
        let extra = ["key", "base", "scale", "offset", "polynomial", "decimals", "missing", "when", "optional"]
        guard let map = value.mapping(keys: LayoutFile.numberKeys + extra),
            let key = map.required("key")?.text, let number = self.number(value, extra: extra, at: next)
        else { return nil }
        if !self.keys.contains(key) {
            let known = self.keys.sorted().joined(separator: ", ")
            map["key"]?
                .report(
                    "no channel of the model has the key '\(key)'; there are \(known)",
                    zh: "该型号没有 key 为“\(key)”的通道；现有 \(known)"
                )
        }
        var field = PayloadLayout.Field(key: key, number: number)
        field.base = map["base"]?.wideNumber ?? 0
        if let scale = map["scale"]?.fraction { (field.multiplier, field.divisor) = scale }
        field.offset = map["offset"]?.double ?? 0
        if let polynomial = map["polynomial"] {
            field.polynomial = polynomial.list?.compactMap(\.double) ?? []
            if field.polynomial.isEmpty || field.polynomial.count > 8 {
                polynomial.report(
                    "a polynomial has 1 to 8 coefficients, the constant term first",
                    zh: "多项式应有 1 至 8 个系数，常数项在前"
                )
            }
        }
        field.decimals = map["decimals"]?.whole(in: 0...9, "decimals")
        if let missing = map["missing"] {
            let values = (missing.isList ? missing.list ?? [] : [missing]).compactMap(\.wideNumber)
            field.missing = self.layout.missing.count..<self.layout.missing.count + values.count
            self.layout.missing += values
        }
        field.conditions = self.conditions(map["when"])
        field.isOptional = map["optional"]?.bool ?? false
        return field
    }

    /// One condition or a list of which all must hold.
    private mutating func conditions(_ value: YAMLValue?) -> Range<Int> {
        let first = self.layout.allConditions.count
        guard let value else { return first..<first }
        for entry in value.isList ? value.list ?? [] : [value] {
            let extra = ["equals", "not", "from", "to"]
            guard let map = entry.mapping(keys: LayoutFile.numberKeys + extra),
                let number = self.number(entry, extra: extra, at: nil)
            else { continue }
            let (equals, not) = (map["equals"]?.wideNumber, map["not"]?.wideNumber)
            let (from, to) = (map["from"]?.wideNumber, map["to"]?.wideNumber)
            let lower = equals ?? not ?? from ?? -.infinity
            let upper = equals ?? not ?? to ?? .infinity
            guard [equals != nil, not != nil, from != nil || to != nil].count(where: { $0 }) == 1, lower <= upper else {
                entry.report(
                    "a condition has one of { equals: 1 }, { not: 1 }, { from: 1, to: 3 }",
                    zh: "条件应为 { equals: 1 }、{ not: 1 }、{ from: 1, to: 3 } 之一"
                )
                continue
            }
            self.layout.allConditions.append(
                PayloadLayout.Condition(number: number, range: lower...upper, isInverted: not != nil)
            )
        }
        return first..<self.layout.allConditions.count
    }

    private func checkTypes(_ place: YAMLValue) {
        guard self.layout.form == .tagged, self.layout.hasTypes else { return }
        if self.layout.blocks.contains(where: { $0.type < 0 }) {
            place.report(
                "some items have a type and some have none; give it to all or to none",
                zh: "有的项有 type，有的没有；请都填或都不填"
            )
        }
    }
}

extension LayoutFile {
    fileprivate static let numberKeys = ["at", "type", "endian", "bits"]

    /// A number's place and type; `next` is where it stands if it does not say so itself, nil if it must.
    fileprivate func number(_ value: YAMLValue, extra: [String], at next: Int?) -> PayloadLayout.Number? {
        guard let map = extra.isEmpty ? value.mapping(keys: Self.numberKeys) : value.anyMapping(),
            let type = map.required("type"), let name = type.string
        else { return nil }
        guard let (kind, width) = Self.types[name] else {
            let known = Self.types.keys.sorted().joined(separator: ", ")
            type.report("'\(name)' is no type; there are \(known)", zh: "“\(name)”不是数据类型；可用 \(known)")
            return nil
        }
        let place = next == nil ? map.required("at") : map["at"]
        guard let at = place.map({ $0.whole(in: -255...255, "at") }) ?? next else { return nil }
        var number = PayloadLayout.Number(
            at: at,
            kind: kind,
            width: width,
            order: map["endian"]?.choice("endian", of: PayloadLayout.Order.self) ?? self.order
        )
        if number.order == .bigLowWordFirst, width % 2 != 0 {
            if map["endian"] != nil {
                type.report(
                    "words of 16 bits make types of 16, 32 or 64 bits, not '\(name)'",
                    zh: "按 16 位字排列的类型只能是 16、32 或 64 位，不能是“\(name)”"
                )
            }
            number.order = .big
        }
        if at < 0, at + width > 0 {
            place?
                .report(
                    "\(width) bytes do not fit behind byte \(at) from the end",
                    zh: "从倒数第 \(-at) 字节起放不下 \(width) 字节"
                )
        }
        if let bits = map["bits"], let range = bits.bitRange {
            number.shift = range.lowerBound
            number.bits = range.count
            if kind == .float || kind == .packedDecimal {
                bits.report("'bits' belong to whole numbers, not to '\(name)'", zh: "bits 只用于整数，不能用于“\(name)”")
            }
            if range.upperBound >= width * 8 {
                bits.report(
                    "'\(name)' has the bits 0 to \(width * 8 - 1), 0 the lowest; found up to \(range.upperBound)",
                    zh: "“\(name)”的位为 0（最低位）至 \(width * 8 - 1)；现到 \(range.upperBound)"
                )
                return nil
            }
        }
        return number
    }

    private static let types: [String: (PayloadLayout.Kind, Int)] = [
        "u8": (.unsigned, 1), "u16": (.unsigned, 2), "u24": (.unsigned, 3), "u32": (.unsigned, 4),
        "u48": (.unsigned, 6),
        "s8": (.signed, 1), "s16": (.signed, 2), "s24": (.signed, 3), "s32": (.signed, 4), "f16": (.float, 2),
        "f32": (.float, 4), "f64": (.float, 8), "bcd8": (.packedDecimal, 1), "bcd16": (.packedDecimal, 2),
        "bcd24": (.packedDecimal, 3), "bcd32": (.packedDecimal, 4), "bcd48": (.packedDecimal, 6),
    ]
}
