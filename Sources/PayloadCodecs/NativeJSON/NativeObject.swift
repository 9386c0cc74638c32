// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// One object of the native format while its members are read.
struct NativeObject {
    /// Where this object's readings begin in the message.
    private var firstReading: Int
    /// Offsets of the objects under `quality` and `method`, which are read when all values are known.
    var quality: Int?
    var method: Int?
    /// What it says of the device's firmware.
    var firmware: String?
    private(set) var hasValues = false

    private var time: Timestamp?
    private var hasTime = false
    private var isSimulated: Bool?
    /// What refuses the object as a whole; the first that was found.
    private var fault: (reason: QuarantineReason, detail: String)?
    /// Names that were seen and refused, so that a second of the same name is known.
    private var refused: Set<String> = []
    /// Positions of the readings by name, kept only for objects too long to search.
    private var positions: [String: Int] = [:]
    private var faults: [Int: String] = [:]

    /// Up to so many readings are searched one by one.
    private static let searched = 16

    init(firstReading: Int) {
        self.firstReading = firstReading
    }

    /// Reads one value into the message.
    mutating func value(
        _ key: String,
        _ scanner: inout JSONScanner,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) {
        let value = try NativeValue(&scanner, bytes, depth: 4)
        if self.index(of: key, message) != nil || self.refused.contains(key) {
            message.refuse(
                Refusal(reason: .malformed, detail: "the name occurs twice; the first value counts", key: key)
            )
            return
        }
        switch value {
        case .number(let number):
            message.readings.append(Reading(key: key, value: number))
            let count = message.readings.count - self.firstReading
            if count == Self.searched + 1 {
                for index in self.firstReading..<message.readings.count {
                    self.positions[message.readings[index].key] = index
                }
            } else if count > Self.searched {
                self.positions[key] = message.readings.count - 1
            }
        case .notANumber(let detail):
            self.refused.insert(key)
            message.refuse(Refusal(reason: .notANumber, detail: detail, key: key))
        }
    }

    /// The position of a value of this object in the message.
    func index(of key: String, _ message: DecodedMessage) -> Int? {
        if !self.positions.isEmpty { return self.positions[key] }
        for index in self.firstReading..<message.readings.count where message.readings[index].key == key {
            return index
        }
        return nil
    }

    /// `values` was met: whatever stood beside it so far is not a value.
    mutating func foundValues(_ message: inout DecodedMessage) {
        if self.hasValues { self.fail(.malformed, "\"values\" occurs twice in one object") }
        self.hasValues = true
        guard message.readings.count > self.firstReading else { return }
        let strays = message.readings[self.firstReading...].map(\.key)
        message.readings.removeSubrange(self.firstReading...)
        self.positions = [:]
        for key in strays { self.refuseStray(key, &message) }
    }

    func refuseStray(_ key: String, _ message: inout DecodedMessage) {
        message.refuse(
            Refusal(
                reason: .malformed,
                detail: "stands beside \"values\", where only ts, quality, method, simulated and firmware are known; "
                    + "put it into \"values\"",
                key: key
            )
        )
    }

    mutating func refuseLater(_ reading: Int, _ detail: String) {
        self.faults[reading] = detail
    }

    /// Reads the value of `ts`.
    mutating func time(_ scanner: inout JSONScanner, _ bytes: Span<UInt8>) throws(JSONError) {
        if self.hasTime { self.fail(.malformed, "\"ts\" occurs twice in one object") }
        self.hasTime = true
        switch try NativeTime(&scanner, bytes) {
        case .time(let time): self.time = time
        case .invalid(let detail): self.fail(.timeInvalid, detail)
        }
    }

    /// Reads the value of `simulated`.
    mutating func simulated(_ scanner: inout JSONScanner, _ bytes: Span<UInt8>) throws(JSONError) {
        switch scanner.peek(bytes) ?? 0 {
        case UInt8(ascii: "t"):
            _ = try scanner.word(bytes)
            self.isSimulated = true
        case UInt8(ascii: "f"):
            _ = try scanner.word(bytes)
            // A later false does not make real what was called simulated.
            self.isSimulated = self.isSimulated ?? false
        default:
            try scanner.skipValue(bytes, depth: 3)
            self.fail(.malformed, "\"simulated\" is neither true nor false")
        }
    }

    /// Applies what belongs to all values of the object.
    mutating func finish(_ message: inout DecodedMessage) {
        if !self.hasValues, let name = self.nameOfValuesForm {
            self.fail(
                .malformed,
                "\"\(name)\" needs the values apart: {\"ts\":1655802960000,\"values\":{\"level\":1.25}}"
            )
        }
        if let fault = self.fault {
            let count = max(1, message.readings.count - self.firstReading)
            message.readings.removeSubrange(self.firstReading...)
            message.refuse(Refusal(reason: fault.reason, detail: fault.detail, values: count))
            return
        }
        // What is simulated says nothing of the device.
        if let firmware, self.isSimulated != true {
            message.addFirmware(firmware, at: self.time, isOwn: true, key: NativeJSONCodec.firmwareKey)
        }
        if self.time != nil || self.isSimulated == true {
            for index in self.firstReading..<message.readings.count {
                message.readings[index].time = self.time
                message.readings[index].isSimulated = self.isSimulated ?? false
            }
        }
        for (index, detail) in self.faults.sorted(by: { $0.key > $1.key }) {
            let reading = message.readings.remove(at: index)
            message.refuse(Refusal(reason: .malformed, detail: detail, key: reading.key))
        }
    }

    /// A member that only the form with `values` has.
    private var nameOfValuesForm: String? {
        if self.hasTime { return "ts" }
        if self.isSimulated != nil { return "simulated" }
        if self.quality != nil { return "quality" }
        return self.method != nil ? "method" : nil
    }

    private mutating func fail(_ reason: QuarantineReason, _ detail: String) {
        if self.fault == nil { self.fault = (reason, detail) }
    }
}
