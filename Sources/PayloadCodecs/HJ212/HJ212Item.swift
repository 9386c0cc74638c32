// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// One `code-Field=value` of a packet's content, or one without a code.
struct HJ212Item {
    enum Kind: Hashable {
        case value
        case flag
        case sampleTime
        case dataTime
        /// Says something of the station, or of the message, or is worked out from values beside it.
        case other
    }

    enum Time {
        case known(Timestamp)
        case invalid(String)
    }

    /// Before the `-`.
    let code: Range<Int>
    /// Behind it.
    let field: Range<Int>
    let value: Range<Int>
    let kind: Kind

    /// More items than this are no packet of a station.
    static let limit = 4096

    /// Reads `a=b` between `;` and `,`, which some stations use one for the other.
    static func read(_ bytes: Span<UInt8>, _ range: Range<Int>, into items: inout [HJ212Item]) {
        items.removeAll(keepingCapacity: true)
        var position = range.lowerBound
        while position < range.upperBound, items.count < self.limit {
            let start = position
            var equals: Int?
            var dash: Int?
            while position < range.upperBound {
                let byte = bytes[position]
                if byte == UInt8(ascii: ";") || byte == UInt8(ascii: ",") { break }
                if byte == UInt8(ascii: "="), equals == nil { equals = position }
                if byte == UInt8(ascii: "-"), equals == nil { dash = position }
                position += 1
            }
            if let equals, let item = self.item(bytes, start, dash: dash, equals: equals, end: position) {
                items.append(item)
            }
            position += 1
        }
    }

    private static func item(
        _ bytes: Span<UInt8>,
        _ start: Int,
        dash: Int?,
        equals: Int,
        end: Int
    ) -> HJ212Item? {
        let value = equals + 1..<end
        guard let dash, dash > start, dash + 1 < equals else {
            let name = start..<equals
            let kind = HJ212Packet.isSame("DataTime", name, bytes) ? Kind.dataTime : .other
            return HJ212Item(code: name, field: equals..<equals, value: value, kind: kind)
        }
        let field = dash + 1..<equals
        return HJ212Item(code: start..<dash, field: field, value: value, kind: self.kind(bytes, field))
    }

    private static func kind(_ bytes: Span<UInt8>, _ field: Range<Int>) -> Kind {
        if HJ212Packet.isSame("Flag", field, bytes) { return .flag }
        if HJ212Packet.isSame("SampleTime", field, bytes) { return .sampleTime }
        if HJ212Packet.isSame("EFlag", field, bytes) || HJ212Packet.isSame("Info", field, bytes) { return .other }
        return self.isDerived(field, bytes) ? .other : .value
    }

    /// What the station works out from its values: `Cou`, the amount of an interval (mean and flow), and `ZsRtd`, `ZsAvg` …, the
    /// values brought to a reference content (折算).
    private static func isDerived(_ field: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        HJ212Packet.isSame("Cou", field, bytes)
            || field.count > 2 && HJ212Packet.isSame("Zs", field.prefix(2), bytes)
    }

    /// Whether the code is one of water or air (w, a and five digits) with a capital letter.
    func hasCapital(_ bytes: Span<UInt8>) -> Bool {
        guard self.code.count == 6, [UInt8(ascii: "W"), UInt8(ascii: "A")].contains(bytes[self.code.lowerBound]) else {
            return false
        }
        return self.code.dropFirst().allSatisfy { bytes[$0] &- UInt8(ascii: "0") <= 9 }
    }

    /// A number that stands for the code.
    func codeHash(_ bytes: Span<UInt8>) -> UInt64 { HJ212Marks.hash(self.code, bytes) }

    /// A decimal number; nil for anything else.
    static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        guard !range.isEmpty, range.count <= 64 else { return nil }
        return bytes.extracting(range)
            .withUnsafeBufferPointer { text -> Double? in
                guard var at = text.baseAddress else { return nil }
                let end = at + text.count
                guard let number = DecimalScanner.general(&at, end, isJSON: false), at == end else { return nil }
                return number
            }
    }

    /// The form yyyyMMddHHmmss, with or without milliseconds, in Beijing time.
    static func time(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Time {
        func part(_ offset: Int, _ count: Int) -> Int? {
            let start = range.lowerBound + offset
            return HJ212Packet.number(bytes, start..<start + count)
        }
        guard range.count == 14 || range.count == 17, let year = part(0, 4), let month = part(4, 2),
            let day = part(6, 2),
            let hour = part(8, 2), let minute = part(10, 2), let second = part(12, 2),
            let millisecond = range.count == 17 ? part(14, 3) : 0
        else { return .invalid("the time \(self.shown(bytes, range)) is not of the form yyyyMMddHHmmss") }
        let time = CivilTime(
            year: year,
            month: month,
            day: day,
            hour: hour,
            minute: minute,
            second: second,
            millisecond: millisecond
        )
        guard time.isValid else { return .invalid("the time \(self.shown(bytes, range)) is no date and time") }
        return .known(time.timestamp(offsetMinutes: 480))
    }

    static func shown(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        var text = ""
        for index in range.prefix(40) {
            text += (0x20...0x7E).contains(bytes[index]) ? String(Unicode.Scalar(bytes[index])) : "?"
        }
        return text
    }
}

/// What a station says of its own value (`Flag`).
enum HJ212Flag {
    /// Marks the reading.
    ///
    /// - Returns: Why it is no measurement; nil where it is one.
    static func apply(_ bytes: Span<UInt8>, _ range: Range<Int>, to reading: inout Reading) -> String? {
        guard range.count == 1 else {
            reading.quality = .suspect
            return nil
        }
        switch bytes[range.lowerBound] {
        case UInt8(ascii: "N"), UInt8(ascii: "n"): return nil
        case UInt8(ascii: "S"), UInt8(ascii: "s"): reading.method = .manual
        // More than the instrument can show: at least so much.
        case UInt8(ascii: "T"), UInt8(ascii: "t"): reading.quality = .suspect
        case UInt8(ascii: "D"), UInt8(ascii: "d"): return "Flag D: the station says that the instrument is faulty"
        case UInt8(ascii: "M"), UInt8(ascii: "m"):
            return "Flag M: the station says that the instrument is being serviced"
        case UInt8(ascii: "C"), UInt8(ascii: "c"):
            return "Flag C: the station says that the instrument is being calibrated"
        case UInt8(ascii: "F"), UInt8(ascii: "f"): return "Flag F: the station says that the source has stopped"
        case UInt8(ascii: "B"), UInt8(ascii: "b"): return "Flag B: the station says that it cannot reach the instrument"
        default: reading.quality = .suspect
        }
        return nil
    }
}

/// The flags and sampling times of a packet by the codes that they are about, wherever they stand.
struct HJ212Marks: Sendable {
    struct Marks {
        var flag: Range<Int>?
        var sampleTime: Range<Int>?
    }

    private var marks: [UInt64: Marks] = [:]

    mutating func read(_ items: [HJ212Item], _ bytes: Span<UInt8>) {
        self.marks.removeAll(keepingCapacity: true)
        for item in items {
            switch item.kind {
            case .flag: self.marks[item.codeHash(bytes), default: Marks()].flag = item.value
            case .sampleTime: self.marks[item.codeHash(bytes), default: Marks()].sampleTime = item.value
            case .value, .dataTime, .other: break
            }
        }
    }

    subscript(item: HJ212Item, bytes: Span<UInt8>) -> Marks {
        self.marks.isEmpty ? Marks() : self.marks[item.codeHash(bytes)] ?? Marks()
    }

    /// FNV-1a.
    static func hash(_ range: Range<Int>, _ bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        return hash
    }
}

/// The times of messages of several packets, for those of their packets that say none.
struct HJ212Times: Sendable {
    private var known: [(station: UInt64, request: UInt64, time: Timestamp)] = []

    /// How many messages are remembered; the oldest gives way.
    private static let capacity = 64

    mutating func note(_ time: Timestamp, of packet: HJ212Packet, _ bytes: Span<UInt8>) {
        let (station, request) = (HJ212Marks.hash(packet.station, bytes), HJ212Marks.hash(packet.request, bytes))
        self.known.removeAll { $0.station == station }
        if self.known.count >= Self.capacity { self.known.removeFirst() }
        self.known.append((station, request, time))
    }

    func time(of packet: HJ212Packet, _ bytes: Span<UInt8>) -> Timestamp? {
        guard !packet.request.isEmpty else { return nil }
        let (station, request) = (HJ212Marks.hash(packet.station, bytes), HJ212Marks.hash(packet.request, bytes))
        return self.known.first { $0.station == station && $0.request == request }?.time
    }
}
