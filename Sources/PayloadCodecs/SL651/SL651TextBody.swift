// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Reads the groups of a body in ASCII (6.6.2), after serial number and time of sending; also what a person entered
/// (人工置数), which has the same form (SL 330).
///
/// ```
/// ST 0012345678 H TT 2206211600 PT 12.5 Z 19.07 DRN05 PN05 Z 0.5 19.07 M 19.08
/// ```
/// `M` stands where there is no value. Behind a step (DRD, DRH, DRN and two digits) come the identifiers, then their
/// values time by time.
struct SL651TextBody {
    private let function: UInt8
    private var position: Int
    private let end: Int
    private var group: SL651Group

    init(function: UInt8, range: Range<Int>, group: SL651Group) {
        self.function = function
        self.position = range.lowerBound
        self.end = range.upperBound
        self.group = group
    }

    mutating func read(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        if self.group.method == .manual { self.manualHead(bytes, &message) }
        while let token = self.token(bytes) {
            if self.end - token.lowerBound >= 2, bytes[token.lowerBound] == 0xF2, bytes[token.lowerBound + 1] == 0xF2 {
                self.group.method = .manual
                self.position = token.lowerBound + 2
                continue
            }
            if bytes[token.lowerBound] == 0xF3 {
                SL651Codec.refusePicture(bytes: self.end - token.lowerBound, &message)
                return
            }
            guard let name = self.text(token, bytes) else {
                message.refuse(
                    Refusal(reason: .malformed, detail: "byte \(token.lowerBound) begins what is no text")
                )
                return
            }
            self.group(name, bytes, &message)
        }
    }

    /// The head that SL 330 gives to what a person enters: kind of station, station, MMDDHHmm.
    private mutating func manualHead(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        let before = self.position
        guard let kind = self.token(bytes), kind.count == 1, SL651Codec.classes.contains(bytes[kind.lowerBound]),
            let name = self.token(bytes), name.count == 8 || name.count == 10, let text = self.text(name, bytes),
            let station = UInt64(text, radix: 16), let date = self.token(bytes), date.count == 8,
            case .known(let sent) = self.group.time
        else {
            self.position = before
            return
        }
        self.group.begin(station: station, &message)
        self.group.begin(time: Self.time(bytes, date, sent: sent))
    }

    /// MMDDHHmm of the year in which it is not after the time of sending; a day of clocks' difference is allowed.
    private static func time(_ bytes: Span<UInt8>, _ range: Range<Int>, sent: Timestamp) -> SL651Group.Time {
        let text = self.shown(bytes, range)
        guard let digits = Int(text), digits >= 0 else {
            return .invalid("the time \(text) is not of the form MMDDHHmm")
        }
        var time = CivilTime(sent, offsetMinutes: SL651Group.zoneMinutes)
        (time.month, time.day) = (digits / 1_000_000, digits / 10_000 % 100)
        (time.hour, time.minute, time.second, time.millisecond) = (digits / 100 % 100, digits % 100, 0, 0)
        if time.month >= 1, time.month <= 12, time.timestamp(offsetMinutes: SL651Group.zoneMinutes) > sent + .day {
            time.year -= 1
        }
        guard time.isValid else { return .invalid("the time \(text) is no date and time (MMDDHHmm)") }
        return .known(time.timestamp(offsetMinutes: SL651Group.zoneMinutes))
    }

    private mutating func group(_ name: String, _ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        switch name.uppercased() {
        case "ST": self.station(bytes, &message)
        case "TT": self.time(bytes)
        case "RGZS": self.group.method = .manual
        case "PIC":
            SL651Codec.refusePicture(bytes: self.end - self.position, &message)
            self.position = self.end
        case let upper where upper.hasPrefix("DR") && upper.utf8.count == 5 && !upper.hasPrefix("DRZ"):
            self.steps(upper, bytes, &message)
        case let upper:
            guard let value = self.token(bytes).flatMap({ self.text($0, bytes) }) else {
                message.refuse(
                    Refusal(reason: .malformed, detail: "the body ends behind the identifier \(name)", key: name)
                )
                return
            }
            self.add(value, SL651Symbols.shared.element(upper), name: name, &message)
        }
    }

    private mutating func station(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        guard let text = self.token(bytes).flatMap({ self.text($0, bytes) }) else { return }
        // Entered by hand, the station may be the eight characters of SL 502.
        guard text.utf8.count <= 10, let station = UInt64(text, radix: 16) else {
            message.refuse(
                Refusal(
                    reason: .malformed,
                    detail: "the station \(text.prefix(40)) is not ten hexadecimal digits",
                    key: "ST"
                )
            )
            return
        }
        self.group.begin(station: station, &message)
        let before = self.position
        let isClass = self.token(bytes).map { $0.count == 1 && SL651Codec.classes.contains(bytes[$0.lowerBound]) }
        if isClass != true || !SL651Codec.namesClass(self.function) { self.position = before }
        if SL651Codec.controls.contains(self.function) {
            message.refuse(
                Refusal(
                    reason: .malformed,
                    detail: "states of pumps, valves and gates are read from binary frames only"
                )
            )
            self.position = self.end
        }
    }

    private mutating func time(_ bytes: Span<UInt8>) {
        guard let token = self.token(bytes) else { return }
        self.group.begin(time: SL651TextBody.time(bytes, token))
    }

    /// YYMMDDHHmm or YYMMDDHHmmSS in Beijing time.
    static func time(_ bytes: Span<UInt8>, _ range: Range<Int>) -> SL651Group.Time {
        let text = self.shown(bytes, range)
        guard range.count == 10 || range.count == 12 else {
            return .invalid("the time \(text) is not of the form YYMMDDHHmm")
        }
        var pairs: [Int] = []
        for index in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
            let (high, low) = (bytes[index] &- UInt8(ascii: "0"), bytes[index + 1] &- UInt8(ascii: "0"))
            guard high <= 9, low <= 9 else { return .invalid("the time \(text) is not all digits") }
            pairs.append(Int(high) * 10 + Int(low))
        }
        let time = CivilTime(
            year: PackedDecimal.year(pairs[0]),
            month: pairs[1],
            day: pairs[2],
            hour: pairs[3],
            minute: pairs[4],
            second: pairs.count > 5 ? pairs[5] : 0
        )
        guard time.isValid else { return .invalid("the time \(text) is no date and time (YYMMDDHHmm)") }
        return .known(time.timestamp(offsetMinutes: SL651Group.zoneMinutes))
    }

    /// Identifiers, then values in turns, until the next marker or the end.
    private mutating func steps(_ name: String, _ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        guard let count = Int(name.suffix(2)), let unit = name.dropFirst(2).first,
            let length: Milliseconds = ["D": .day, "H": .hour, "N": .minute][unit]
        else {
            message.refuse(
                Refusal(
                    reason: .malformed,
                    detail: "\(name) is no time step: DRD, DRH or DRN and two digits",
                    key: name
                )
            )
            return
        }
        self.group.step = count == 0 ? SL651Group.shortStep : Milliseconds(count) * length
        var columns: [(name: String, element: SL651Element?)] = []
        var values = 0
        while true {
            let before = self.position
            guard let token = self.token(bytes), let text = self.text(token, bytes) else { break }
            guard self.isValue(text) else {
                guard values == 0, text.uppercased() != "ST", text.uppercased() != "TT" else {
                    self.position = before
                    break
                }
                columns.append((text, SL651Symbols.shared.element(text.uppercased())))
                continue
            }
            guard !columns.isEmpty else { continue }
            let column = columns[values % columns.count]
            self.add(text, column.element, name: column.name, index: values / columns.count, &message)
            values += 1
        }
        self.group.step = nil
    }

    /// A value begins with a digit, a sign or a point, is `M`, or is a row of hexadecimal pairs.
    private func isValue(_ text: String) -> Bool {
        guard let first = text.utf8.first else { return false }
        if text == "M" || text == "m" { return true }
        let isNumeric =
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) || [0x2B, 0x2D, 0x2E].contains(first)
        return isNumeric || text.utf8.count >= 24 && text.utf8.allSatisfy { HexText.digit($0) != nil }
    }

    private mutating func add(
        _ text: String,
        _ element: SL651Element?,
        name: String,
        index: Int = 0,
        _ message: inout DecodedMessage
    ) {
        let key = element.map { self.group.key(of: $0) } ?? name
        if text == "M" || text == "m" { return }
        switch element?.form {
        case .rainSteps, .levelSteps:
            self.hourly(text, width: element?.form == .rainSteps ? 1 : 2, key: key, index: index, &message)
        case .state:
            guard text.utf8.count <= 8, let state = UInt32(text, radix: 16) else {
                self.group.refuse(key, "\(text.prefix(40)) is not eight hexadecimal digits", &message)
                return
            }
            self.group.add(state: state, &message)
        default:
            guard let value = Double(text), value.isFinite, text.utf8.allSatisfy({ $0 != 0x78 && $0 != 0x58 }) else {
                self.group.refuse(key, "\(text.prefix(40)) is no number; M stands for none", &message)
                return
            }
            if let element {
                self.group.add(.value(value), of: element, key: key, index: index, &message)
                if element.id == 0x0A { self.group.gate = Int(exactly: value) }
            } else {
                self.group.add(key, value, index: index, &message)
            }
        }
    }

    /// Twelve pairs, or pairs of pairs, of hexadecimal digits in a row.
    private func hourly(_ text: String, width: Int, key: String, index: Int, _ message: inout DecodedMessage) {
        var bytes: [UInt8] = []
        guard HexText.read(text.utf8Span.span, into: &bytes), !bytes.isEmpty, bytes.count % width == 0 else {
            self.group.refuse(key, "\(text.prefix(80)) is not \(12 * width) bytes of hexadecimal digits", &message)
            return
        }
        let count = bytes.count / width
        let first = message.readings.count
        for place in 0..<count {
            if width == 1 {
                guard bytes[place] != 0xFF else { continue }
                self.group.add(key, Double(bytes[place]) / 10, index: index * count + place, &message)
            } else {
                let value = Int(bytes[2 * place]) << 8 | Int(bytes[2 * place + 1])
                guard value != 0xFFFF else { continue }
                self.group.add(key, Double(value) / 100, index: index * count + place, &message)
            }
        }
        if self.group.step == nil { self.group.endBySending(steps: count, from: first, &message) }
    }

    /// The next piece between blanks.
    private mutating func token(_ bytes: Span<UInt8>) -> Range<Int>? {
        while self.position < self.end, Self.isBlank(bytes[self.position]) { self.position += 1 }
        guard self.position < self.end else { return nil }
        let start = self.position
        while self.position < self.end, !Self.isBlank(bytes[self.position]) { self.position += 1 }
        return start..<self.position
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0D || byte == 0x0A || byte == 0x09 || byte == 0
    }

    /// Printable ASCII of at most 4 kB; nil for anything else.
    private func text(_ range: Range<Int>, _ bytes: Span<UInt8>) -> String? {
        guard range.count <= 4096 else { return nil }
        var copy: [UInt8] = []
        for index in range {
            guard (0x21...0x7E).contains(bytes[index]) else { return nil }
            copy.append(bytes[index])
        }
        return String(decoding: copy, as: UTF8.self)
    }

    private static func shown(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        var text = ""
        for index in range.prefix(20) {
            text += (0x21...0x7E).contains(bytes[index]) ? String(Unicode.Scalar(bytes[index])) : "?"
        }
        return text
    }
}

/// The elements by their symbols in upper case.
struct SL651Symbols: Sendable {
    static let shared = SL651Symbols()

    private let elements: [String: SL651Element]

    private init() {
        var elements: [String: SL651Element] = [:]
        for element in SL651Element.all { elements[element.symbol.uppercased()] = element }
        self.elements = elements
    }

    func element(_ upper: String) -> SL651Element? { self.elements[upper] }
}
