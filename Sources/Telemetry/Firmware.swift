// poyang
// SPDX-License-Identifier: Apache-2.0

/// The version of a device's own software, as people read it: `1.4.2`.
///
/// It comes from the field and is shown on terminals and pages, so that it holds nothing but characters that are seen.
package struct FirmwareVersion: Hashable, Sendable {
    /// UTF-8 bytes.
    package static let longest = 64

    /// Why a text is no version.
    package struct Fault: Error, Hashable, Sendable {
        /// What is wrong and what would be right.
        package let message: String
    }

    package let text: String

    package init(_ text: String) throws(Fault) {
        let advice = "send a short text such as \"1.4.2\""
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw Fault(message: "the firmware version is empty; \(advice)")
        }
        guard text.utf8.count <= Self.longest else {
            throw Fault(
                message:
                    "the firmware version has \(text.utf8.count) bytes, at most \(Self.longest) are kept; \(advice)"
            )
        }
        for scalar in text.unicodeScalars where !Self.isShown(scalar) {
            let code = String(scalar.value, radix: 16, uppercase: true)
            throw Fault(message: "the firmware version holds U+\(code), which cannot be shown; \(advice)")
        }
        self.text = text
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}

/// What somebody says of a device's firmware.
package struct FirmwareReport: Hashable, Sendable {
    package var version: FirmwareVersion
    /// When it was so; nil where the payload has no time.
    package var time: Timestamp?
    /// Whether the device says so itself; a network server repeats what somebody entered there.
    package var isOwn: Bool

    package init(version: FirmwareVersion, time: Timestamp?, isOwn: Bool) {
        self.version = version
        self.time = time
        self.isOwn = isOwn
    }
}

/// Which firmware a device has, as far as anybody said.
package struct KnownFirmware: Hashable, Sendable {
    package var device: String
    package var version: FirmwareVersion
    /// The first time that it was said.
    package var since: Timestamp
    /// Whether the device said so itself.
    package var isOwn: Bool

    package init(device: String, version: FirmwareVersion, since: Timestamp, isOwn: Bool) {
        self.device = device
        self.version = version
        self.since = since
        self.isOwn = isOwn
    }
}
