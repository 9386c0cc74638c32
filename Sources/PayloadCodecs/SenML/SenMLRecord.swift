// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The base fields in force (RFC 8428, 4.1).
struct SenMLBase {
    var name = ""
    var time = 0.0
    var unit: String?
    var value: Double?
    var sum: Double?
}

/// One record while its fields are read (4.2).
struct SenMLRecord {
    let offset: Int
    private var name: String?
    private var unit: String?
    private var time: Double?
    private var sum: Double?
    private var value: Value?
    private var values = 0
    private var hasUpdateTime = false

    private enum Value {
        case number(Double)
        case flag(Double)
        /// A text or data; with the label.
        case other(String)
    }

    init(offset: Int) {
        self.offset = offset
    }

    /// Reads the fields; those of the base come into force at once, wherever they stand in the record.
    mutating func read(
        _ scanner: inout JSONScanner,
        _ keys: inout KeyTable,
        _ bytes: Span<UInt8>,
        _ base: inout SenMLBase
    ) throws(JSONError) {
        guard scanner.peek(bytes) == UInt8(ascii: "{") else {
            throw scanner.unexpected(bytes, expected: "'{': each record is an object")
        }
        var isFirst = true
        while let label = try scanner.nextName(&isFirst, &keys, bytes) {
            let start = scanner.position
            switch label {
            case "bn": base.name = try self.text(label, &scanner, &keys, bytes)
            case "bu": base.unit = try self.text(label, &scanner, &keys, bytes)
            case "bt": base.time = try self.number(label, &scanner, bytes)
            case "bv": base.value = try self.number(label, &scanner, bytes)
            case "bs": base.sum = try self.number(label, &scanner, bytes)
            case "bver": try self.checkVersion(try self.number(label, &scanner, bytes), at: start)
            case "n": self.name = try self.text(label, &scanner, &keys, bytes)
            case "u": self.unit = try self.text(label, &scanner, &keys, bytes)
            case "t": self.time = try self.number(label, &scanner, bytes)
            case "s": self.sum = try self.number(label, &scanner, bytes)
            case "ut":
                _ = try self.number(label, &scanner, bytes)
                self.hasUpdateTime = true
            case "v": self.set(.number(try self.number(label, &scanner, bytes)))
            case "vb":
                switch try scanner.word(bytes) {
                case .yes: self.set(.flag(1))
                case .no: self.set(.flag(0))
                default: throw JSONError(offset: start, message: "\"vb\" is neither true nor false")
                }
            case "vs", "vd":
                guard scanner.peek(bytes) == UInt8(ascii: "\"") else {
                    throw JSONError(offset: scanner.position, message: "\"\(label)\" is not a text")
                }
                _ = try scanner.string(bytes)
                self.set(.other(label))
            default:
                guard !label.hasSuffix("_") else {
                    throw JSONError(
                        offset: start,
                        message: "the field \"\(label.prefix(40))\" must be understood (RFC 8428, 4.4) and is not"
                    )
                }
                try scanner.skipValue(bytes, depth: 3)
            }
        }
    }

    /// Gives the record's readings; one of base fields alone has none.
    func resolve(
        _ base: SenMLBase,
        now: Timestamp?,
        into message: inout DecodedMessage
    ) {
        guard !self.isBaseOnly else { return }
        let full = base.name + (self.name ?? "")
        let given = self.unit ?? base.unit
        let unit = given.flatMap { $0.isEmpty ? nil : $0 }
        guard SenMLNames.isValid(full) else {
            let shown = full.isEmpty ? "has no name" : "has the name \"\(full.prefix(80))\""
            message.refuse(
                Refusal(
                    reason: .malformed,
                    detail: "\(self.place) \(shown); names are letters, digits and - : . / _, a letter or digit first"
                )
            )
            return
        }
        let key = SenMLNames.key(of: full, unit: unit)
        let time: Timestamp?
        switch Self.time(base.time + (self.time ?? 0), now: now) {
        case .known(let known): time = known
        case .invalid(let detail):
            message.refuse(Refusal(reason: .timeInvalid, detail: "\(self.place): \(detail)", key: key))
            return
        }
        guard self.values <= 1 else {
            message.refuse(
                Refusal(
                    reason: .malformed,
                    detail: "\(self.place) has \(self.values) values; v, vb, vs or vd, one",
                    key: key
                )
            )
            return
        }
        let hasSum = self.sum != nil || base.sum != nil
        switch self.value {
        case .number(let number):
            self.add(key, number + (base.value ?? 0), time, unit, &message)
        case .flag(let number): self.add(key, number, time, nil, &message)
        case .other(let label):
            message.refuse(
                Refusal(
                    reason: .notANumber,
                    detail: "\(self.place) holds \(label == "vs" ? "a text" : "data"), not a number",
                    key: key
                )
            )
        case nil:
            if let value = base.value {
                self.add(key, value, time, unit, &message)
            } else if !hasSum {
                message.refuse(Refusal(reason: .malformed, detail: "\(self.place) has neither value nor sum", key: key))
            }
        }
        if hasSum { self.add(key + ".sum", (self.sum ?? 0) + (base.sum ?? 0), time, nil, &message) }
    }

    private var place: String { "the record at byte \(self.offset)" }

    private var isBaseOnly: Bool {
        self.name == nil && self.unit == nil && self.time == nil && self.sum == nil && self.values == 0
            && !self.hasUpdateTime
    }

    private mutating func set(_ value: Value) {
        self.value = value
        self.values += 1
    }

    private func add(
        _ key: String,
        _ value: Double,
        _ time: Timestamp?,
        _ unit: String?,
        _ message: inout DecodedMessage
    ) {
        guard value.isFinite else {
            message.refuse(
                Refusal(
                    reason: .notANumber,
                    detail: "\(self.place): the value is beyond what a double can hold",
                    key: key
                )
            )
            return
        }
        let known = unit.flatMap(SenMLUnit.unit)
        if let unit, known == nil {
            message.refuse(
                Refusal(
                    reason: .malformed,
                    detail:
                        "\(self.place): the unit \"\(unit.prefix(40))\" is not known; units have the names of RFC 8428 and "
                        + "RFC 8798 (Cel, m/s, mm …) or those of model files",
                    key: key
                )
            )
            return
        }
        message.readings.append(Reading(key: key, value: value, time: time))
        message.units.append(known)
    }

    private enum Time {
        case known(Timestamp?)
        case invalid(String)
    }

    /// Seconds since 1970 from 2²⁸ on, else relative to now (4.5.3).
    private static func time(_ seconds: Double, now: Timestamp?) -> Time {
        guard seconds.isFinite, abs(seconds) < 253_402_300_800 else {
            return .invalid("the time \(seconds) is no number of seconds since 1970; it may be in milliseconds")
        }
        let milliseconds = Int64((seconds * 1000).rounded())
        guard seconds < 268_435_456 else { return .known(Timestamp(milliseconds: milliseconds)) }
        // "Now", as if no time were given.
        guard seconds != 0 else { return .known(nil) }
        return .known(now.map { $0 + milliseconds })
    }

    /// 10 is RFC 8428; feature 4 beside it (26) are the secondary units (RFC 8798, 9100).
    private func checkVersion(_ version: Double, at offset: Int) throws(JSONError) {
        guard version <= 10 || version == 26 else {
            throw JSONError(offset: offset, message: "SenML version \(version) is not known; 10 and 26 are")
        }
    }

    private func text(
        _ label: String,
        _ scanner: inout JSONScanner,
        _ keys: inout KeyTable,
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> String {
        _ = scanner.peek(bytes)
        let start = scanner.position
        guard let text = try scanner.textValue(&keys, bytes) else {
            throw JSONError(offset: start, message: "\"\(label)\" is not a text")
        }
        guard text.utf8.count <= SenMLNames.longest else {
            throw JSONError(
                offset: start,
                message: "\"\(label)\" has \(text.utf8.count) bytes; at most \(SenMLNames.longest) are read"
            )
        }
        return text
    }

    private func number(
        _ label: String,
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> Double {
        let next = scanner.peek(bytes) ?? 0
        guard next == UInt8(ascii: "-") || next &- UInt8(ascii: "0") <= 9 else {
            throw JSONError(offset: scanner.position, message: "\"\(label)\" is not a number")
        }
        return try scanner.number(bytes)
    }
}
