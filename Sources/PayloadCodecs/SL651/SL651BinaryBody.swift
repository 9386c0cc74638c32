// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Reads the groups of a body in HEX/BCD (6.6.3), after serial number and time of sending.
///
/// ```
/// F1F1 station(5)  class(1)  F0F0 YYMMDDHHmm(5)  { id(1) definition(1) data }…
/// ```
/// The definition byte holds the bytes of the data (upper five bits) and the digits behind the point (lower three). Some
/// stations (南水) write the markers of station and time with such a byte, too: F128, F028.
struct SL651BinaryBody {
    private let elements: [SL651Element?]
    private let function: UInt8
    private var position: Int
    private let end: Int
    private var group: SL651Group

    /// Begins at the groups, which are `range`; `elements` is the table by identifier, 256 places.
    init(elements: [SL651Element?], function: UInt8, range: Range<Int>, group: SL651Group) {
        self.elements = elements
        self.function = function
        self.position = range.lowerBound
        self.end = range.upperBound
        self.group = group
    }

    mutating func read(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        while self.position < self.end {
            guard self.group(bytes, &message) else { return }
        }
    }

    /// Reads one group.
    ///
    /// - Returns: False when what follows cannot be read.
    private mutating func group(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) -> Bool {
        let id = bytes[self.position]
        if id >= 0xF0, self.position + 1 < self.end {
            let second = bytes[self.position + 1]
            switch (id, second) {
            case (0xF0, 0xF0), (0xF0, Self.fiveBytes):
                guard self.has(7, "the observation time", &message) else { return false }
                self.group.begin(time: PackedDecimal.time(bytes, at: self.position + 2, count: 5))
                self.position += 7
                return true
            case (0xF1, 0xF1), (0xF1, Self.fiveBytes):
                guard self.has(7, "the station's address", &message) else { return false }
                self.station(bytes, &message)
                return true
            case (0xF2, 0xF2):
                self.manual(bytes, &message)
                return false
            case (0xF3, 0xF3):
                SL651Codec.refusePicture(bytes: self.end - self.position - 2, &message)
                return false
            case (0xFD, _):
                message.refuse(
                    Refusal(
                        reason: .malformed,
                        detail:
                            "bulk velocities (FD) are in no form that the standard gives; \(self.end - self.position - 2) "
                            + "bytes are kept",
                        key: "DATA"
                    )
                )
                return false
            case (0xF0...0xF3, _):
                // Read as elements, they would give the values behind them to another station, or to another time.
                message.refuse(
                    Refusal(
                        reason: .malformed,
                        detail: "\(HexText.text(UInt64(id) << 8 | UInt64(second), digits: 4)) is no marker of the "
                            + "standard; the \(self.end - self.position) bytes from it on are not read"
                    )
                )
                return false
            default: break
            }
        }
        return self.element(bytes, &message)
    }

    /// The definition of five bytes without a point, which some write behind F0 and F1.
    private static let fiveBytes: UInt8 = 0x28

    /// Whether the marker of an observation time stands at `index`.
    private func isTimeMarker(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        guard index + 1 < self.end, bytes[index] == 0xF0 else { return false }
        return bytes[index + 1] == 0xF0 || bytes[index + 1] == Self.fiveBytes
    }

    private mutating func station(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        var station: UInt64 = 0
        for index in self.position + 2..<self.position + 7 { station = station << 8 | UInt64(bytes[index]) }
        self.group.begin(station: station, &message)
        self.position += 7
        guard self.position < self.end else { return }
        // One byte says what kind of station it is; states (46, 4B) and controls (4C…) have none.
        let isMarker = self.isTimeMarker(bytes, at: self.position)
        let isFollowedByTime = self.isTimeMarker(bytes, at: self.position + 1)
        if isFollowedByTime || !isMarker && SL651Codec.namesClass(self.function) {
            self.position += 1
        }
        if SL651Codec.controls.contains(self.function) {
            self.controlled(bytes, &message)
            self.position = self.end
        }
    }

    private mutating func element(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) -> Bool {
        let id = bytes[self.position]
        var head = 2
        if id == 0xFF { head = 3 }
        guard self.has(head, "an identifier", &message) else { return false }
        let definition = bytes[self.position + head - 1]
        let size = Int(definition >> 3)
        let decimals = Int(definition & 7)
        let element = self.elements[Int(id)]
        let key: String
        if let element {
            key = self.group.gate == nil ? element.symbol : self.group.key(of: element)
        } else {
            let hex = HexText.text(UInt64(id == 0xFF ? bytes[self.position + 1] : id), digits: 2)
            key = id == 0xFF ? "FF" + hex : hex
        }
        guard self.has(head + size, "element \(key) and its \(size) bytes", key: key, &message) else { return false }
        self.position += head
        guard size > 0 else { return true }
        switch element?.form {
        case .step:
            self.step(bytes, size: size, &message)
            self.position += size
        case .state:
            guard size == 4 else {
                self.group.refuse(key, "\(size) bytes of state; there are four", &message)
                self.position += size
                return true
            }
            var state: UInt32 = 0
            for index in self.position..<self.position + size { state = state << 8 | UInt32(bytes[index]) }
            self.group.add(state: state, &message)
            self.position += size
        case .rainSteps, .levelSteps:
            let width = element?.form == .rainSteps ? 1 : 2
            var count = 0
            let first = message.readings.count
            // Several hours may follow one identifier when a step was said.
            repeat {
                self.steps(bytes, count: size / width, width: width, from: count, key: key, &message)
                count += size / width
                self.position += size
            } while self.group.step != nil && self.position + size <= self.end && !self.isMarker(bytes, size: size)
            self.group.endBySending(steps: count, from: first, &message)
            self.group.step = nil
        default:
            self.numbers(bytes, size: size, decimals: decimals, element, key: key, &message)
        }
        return true
    }

    /// One number, or as many as follow where a step was said.
    private mutating func numbers(
        _ bytes: Span<UInt8>,
        size: Int,
        decimals: Int,
        _ element: SL651Element?,
        key: String,
        _ message: inout DecodedMessage
    ) {
        var index = 0
        repeat {
            let number = PackedDecimal.number(bytes, self.position..<self.position + size, decimals: decimals)
            if case .value(let value) = number, element == nil || element?.form == .decimal {
                self.group.add(key, value, index: index, &message)
                if element?.id == 0x0A { self.group.gate = Int(exactly: value) }
            } else if let element {
                self.group.add(number, of: element, key: key, index: index, &message)
            } else if case .invalid(let detail) = number {
                self.group.refuse(key, detail, &message)
            }
            self.position += size
            index += 1
        } while self.group.step != nil && self.position + size <= self.end && !self.isMarker(bytes, size: size)
        if self.group.step != nil {
            if self.position < self.end, !self.isMarker(bytes, size: size) {
                message.refuse(
                    Refusal(
                        reason: .malformed,
                        detail: "\(self.end - self.position) bytes are left behind values of \(size) bytes each",
                        key: key
                    )
                )
                self.position = self.end
            }
            self.group.step = nil
        }
    }

    private func steps(
        _ bytes: Span<UInt8>,
        count: Int,
        width: Int,
        from first: Int,
        key: String,
        _ message: inout DecodedMessage
    ) {
        for index in 0..<count {
            let at = self.position + index * width
            if width == 1 {
                guard bytes[at] != 0xFF else { continue }
                self.group.add(key, Double(bytes[at]) / 10, index: first + index, &message)
            } else {
                let value = Int(bytes[at]) << 8 | Int(bytes[at + 1])
                guard value != 0xFFFF else { continue }
                self.group.add(key, Double(value) / 100, index: first + index, &message)
            }
        }
    }

    /// Whether a marker or one of the hourly groups begins here, where another value of the same element could.
    private func isMarker(_ bytes: Span<UInt8>, size: Int) -> Bool {
        guard self.position + 2 <= self.end else { return false }
        let left = self.end - self.position
        // Bytes of the hourly groups may be anything; numbers in packed decimal never begin like this.
        let isPlain = size == 12 || size == 24
        switch (bytes[self.position], bytes[self.position + 1]) {
        case (0xF0, 0xF0), (0xF0, Self.fiveBytes):
            guard left >= 7 else { return false }
            guard isPlain, left % size == 0 else { return true }
            guard case .known = PackedDecimal.time(bytes, at: self.position + 2, count: 5) else { return false }
            return true
        case (0xF1, 0xF1), (0xF1, Self.fiveBytes): return left >= 7 && !(isPlain && left % size == 0)
        case (0xF4, 0x60), (0xF5...0xFC, 0xC0): return !(isPlain && left % size == 0)
        default: return false
        }
    }

    private mutating func step(_ bytes: Span<UInt8>, size: Int, _ message: inout DecodedMessage) {
        guard size == 3, let days = PackedDecimal.pair(bytes[self.position]),
            let hours = PackedDecimal.pair(bytes[self.position + 1]),
            let minutes = PackedDecimal.pair(bytes[self.position + 2])
        else {
            self.group.begin(
                time: .invalid("the time step is not three bytes of packed decimal (BCD), day hour minute")
            )
            return
        }
        let step = Milliseconds(days) * .day + Milliseconds(hours) * .hour + Milliseconds(minutes) * .minute
        // All zeros announce hours of five-minute steps (note to table C.1).
        self.group.step = step == 0 ? SL651Group.shortStep : step
    }

    private mutating func manual(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        self.group.method = .manual
        var body = SL651TextBody(function: 0x35, range: self.position + 2..<self.end, group: self.group)
        body.read(bytes, &message)
        self.position = self.end
    }

    /// What pumps, valves and gates are doing (tables 71, 74, 77).
    private func controlled(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) {
        guard self.position < self.end else { return }
        let count = Int(bytes[self.position])
        let isGates = self.function == 0x4E
        let states = isGates ? (count + 7) / 8 : count
        let length = 1 + states + (isGates ? 2 * count : 0)
        guard self.position + length <= self.end, count > 0, states <= 32 else {
            message.refuse(
                Refusal(
                    reason: .malformed,
                    detail: "\(length) bytes of states are announced, \(self.end - self.position) are there"
                )
            )
            return
        }
        let name = isGates ? "GATE" : self.function == 0x4C ? "PUMP" : "VALVE"
        for index in 0..<(isGates ? count : 8 * count) {
            let isOn = bytes[self.position + 1 + index / 8] >> UInt8(index % 8) & 1 == 1
            self.group.add("\(name).\(index + 1)", isOn ? 1 : 0, &message)
        }
        guard isGates else { return }
        for index in 0..<count {
            let at = self.position + 1 + states + 2 * index
            // Centimetres; given in metres as GH is.
            switch PackedDecimal.number(bytes, at..<at + 2, decimals: 2) {
            case .value(let value): self.group.add("GH.\(index + 1)", value, &message)
            case .missing: break
            case .invalid(let detail): self.group.refuse("GH.\(index + 1)", detail, &message)
            }
        }
    }

    /// Whether `count` bytes are left; refuses the rest otherwise.
    private func has(
        _ count: Int,
        _ what: @autoclosure () -> String,
        key: String? = nil,
        _ message: inout DecodedMessage
    ) -> Bool {
        guard self.position + count > self.end else { return true }
        message.refuse(
            Refusal(
                reason: .malformed,
                detail: "the body ends inside \(what()): \(self.end - self.position) bytes are left of \(count)",
                key: key
            )
        )
        return false
    }
}
