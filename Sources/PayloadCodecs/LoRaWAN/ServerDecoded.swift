// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What a decoder inside a network server made of a frame: an object of any form.
///
/// Numbers, texts that are numbers, `true` and `false` become readings; objects inside one another give keys with points
/// between the names (`air.temperature`). Other texts, lists and nulls are no values and leave nothing behind.
enum ServerDecoded {
    /// Objects inside one another that are looked into.
    private static let depthLimit = 5
    /// Values taken of one object.
    private static let valueLimit = 512

    static func read(
        _ scanner: inout JSONScanner,
        _ keys: inout KeyTable,
        _ bytes: Span<UInt8>,
        into message: inout DecodedMessage
    ) throws(JSONError) {
        try self.object("", depth: 1, &scanner, &keys, bytes, &message)
    }

    private static func object(
        _ prefix: String,
        depth: Int,
        _ scanner: inout JSONScanner,
        _ keys: inout KeyTable,
        _ bytes: Span<UInt8>,
        _ message: inout DecodedMessage
    ) throws(JSONError) {
        guard scanner.peek(bytes) == UInt8(ascii: "{"), depth <= self.depthLimit else {
            try scanner.skipValue(bytes, depth: depth + 2)
            return
        }
        var isFirst = true
        while let name = try scanner.nextName(&isFirst, &keys, bytes) {
            let key = prefix.isEmpty ? name : prefix + name
            if scanner.peek(bytes) == UInt8(ascii: "{") {
                try self.object(key + ".", depth: depth + 1, &scanner, &keys, bytes, &message)
                continue
            }
            guard let number = try scanner.looseNumber(bytes, depth: depth + 3),
                message.readings.count < self.valueLimit
            else { continue }
            message.readings.append(Reading(key: key, value: number))
        }
    }
}
