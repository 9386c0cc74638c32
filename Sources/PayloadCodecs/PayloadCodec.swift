// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Turns the payloads of one wire format into readings.
///
/// A codec is pure: it reads no clock and keeps nothing of one payload for the next but caches. Bytes from the field never
/// trap and never throw: what cannot be used becomes a ``Telemetry/Refusal``.
package protocol PayloadCodec: Sendable {
    /// Decodes one whole payload.
    ///
    /// - Parameters:
    ///   - payload: The bytes as they came.
    ///   - message: Emptied first, then filled; passed in so that its memory is used again.
    mutating func decode(_ payload: Span<UInt8>, into message: inout DecodedMessage)
}

/// What one payload holds: values to resolve, and what was refused of it.
///
/// A payload that cannot be decoded at all has no readings and one refusal without a key.
package struct DecodedMessage: Hashable, Sendable {
    package var readings: [Reading] = []
    package var refusals: [Refusal] = []
    /// Who sent which readings, where the payload says so; the readings before the first sender, and all where there is
    /// none, are those of the device that the topic names.
    package var senders: [Sender] = []
    /// The device's own bytes, where a network server passed them on.
    package var frame = DeviceFrame()
    /// Whether keys come from a network server: of those the ones that the model knows are taken.
    package var isOfNetworkServer = false
    /// The unit of each reading as the payload names it, nil where it names none; empty for formats without units.
    package var units: [Unit?] = []
    /// Where an edge node of Sparkplug B is to be asked for its birth; nil where it need not.
    package var rebirth: String?
    /// Messages in several packets of which it holds some and that wait for the others, by numbers of the codec.
    package var awaiting: [Int] = []
    /// Messages that are whole with it: what was kept of their other packets holds nothing that is refused.
    package var completed: [Int] = []
    /// What it says of the firmware of its senders.
    package var firmware: [Firmware] = []

    /// What a payload says of a device's firmware.
    package struct Firmware: Hashable, Sendable {
        package var report: FirmwareReport
        /// Its place in ``DecodedMessage/senders``; nil for the device of the topic, or of the only sender.
        package var sender: Int?
    }

    /// The device that a payload names for the readings that follow.
    package struct Sender: Hashable, Sendable {
        package enum Name: Hashable, Sendable {
            /// An identity given by others: SL 651 address, MN, DevEUI.
            case address(String)
            /// A device's id or name.
            case device(String)
        }

        package var name: Name
        /// The position of its first reading; the next sender's, or the end, is behind its last.
        package var firstReading: Int

        package init(name: Name, firstReading: Int) {
            self.name = name
            self.firstReading = firstReading
        }
    }

    /// How many refusals are listed one by one; those beyond are counted together by reason.
    package static let listedRefusals = 64

    package init() {}

    package mutating func removeAll() {
        self.readings.removeAll(keepingCapacity: true)
        self.refusals.removeAll(keepingCapacity: true)
        self.senders.removeAll(keepingCapacity: true)
        self.frame.clear()
        self.isOfNetworkServer = false
        self.units.removeAll(keepingCapacity: true)
        self.rebirth = nil
        self.awaiting.removeAll(keepingCapacity: true)
        self.completed.removeAll(keepingCapacity: true)
        self.firmware.removeAll(keepingCapacity: true)
    }

    /// Takes a version under a payload's name for it; a text that is none is refused.
    mutating func addFirmware(_ text: String, at time: Timestamp?, isOwn: Bool, key: String) {
        do throws(FirmwareVersion.Fault) {
            let report = FirmwareReport(version: try FirmwareVersion(text), time: time, isOwn: isOwn)
            self.firmware.append(Firmware(report: report))
        } catch {
            self.refuse(Refusal(reason: .malformed, detail: error.message, key: key))
        }
    }

    /// Empties it for a payload, which is refused unread where it has more than `limit` bytes.
    ///
    /// - Returns: Whether the payload is to be read.
    mutating func begin(_ payload: Span<UInt8>, limit: Int) -> Bool {
        self.removeAll()
        guard payload.count > limit else { return true }
        self.refuseWhole(.tooLarge, "\(payload.count) bytes; at most \(limit) are read")
        return false
    }

    /// Adds a refusal; the list stays short however many values a payload holds.
    package mutating func refuse(_ refusal: Refusal) {
        guard self.refusals.count >= Self.listedRefusals else {
            self.refusals.append(refusal)
            return
        }
        let sums = self.refusals[Self.listedRefusals...]
        if let sum = sums.firstIndex(where: { $0.reason == refusal.reason }) {
            self.refusals[sum].values += refusal.values
        } else {
            let detail = "more values like those listed, the first of them: \(refusal.detail)"
            self.refusals.append(Refusal(reason: refusal.reason, detail: detail, values: refusal.values))
        }
    }

    /// Replaces everything by one refusal of the payload as a whole.
    package mutating func refuseWhole(_ reason: QuarantineReason, _ detail: String) {
        self.removeAll()
        self.refusals.append(Refusal(reason: reason, detail: detail))
    }
}
