// poyang
// SPDX-License-Identifier: Apache-2.0

package import Telemetry

/// Packs of SenML in JSON (RFC 8428, `application/senml+json`).
///
/// ```
/// [{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":10,"n":"voltage","u":"V","v":120.1},
///  {"n":"current","t":-5,"v":1.2}]
/// ```
/// Records are resolved as section 4.6 says: base fields hold until they are given anew, names are joined, times and values
/// added. The key of a reading is what stands behind the last `:`, `/` or `;` of its name; where nothing stands there, or the
/// name is a device's URN alone, the unit (`%RH`, `lon`). A sum (`s`) is a reading of its own, `key.sum`. Times below 2²⁸ are
/// relative to the receipt (4.5.3). A version that we do not know and a field that ends in `_` refuse the pack (4.4).
package struct SenMLCodec: PayloadCodec {
    /// Records of a pack that are read; a pack with more is refused.
    static let recordLimit = 20_000

    /// To what relative times refer; where it is nil they are unknown.
    package var now: Timestamp?

    private let limit: Int
    private var keys = KeyTable()

    /// - Parameter limit: The longest payload that is read, in bytes.
    package init(limit: Int = NativeJSONCodec.defaultLimit) {
        self.limit = limit
    }

    package mutating func decode(_ payload: Span<UInt8>, into message: inout DecodedMessage) {
        guard message.begin(payload, limit: self.limit) else { return }
        do {
            try self.pack(payload, &message)
        } catch {
            message.refuseWhole(.malformed, "byte \(error.offset): \(error.message)")
        }
    }

    private mutating func pack(_ bytes: Span<UInt8>, _ message: inout DecodedMessage) throws(JSONError) {
        var scanner = JSONScanner()
        guard scanner.take(UInt8(ascii: "["), bytes) else {
            throw scanner.unexpected(
                bytes,
                expected: "'[': SenML is an array of records, such as [{\"n\":\"level\",\"v\":1}]"
            )
        }
        var base = SenMLBase()
        var count = 0
        if !scanner.take(UInt8(ascii: "]"), bytes) {
            repeat {
                var record = SenMLRecord(offset: scanner.position)
                try record.read(&scanner, &self.keys, bytes, &base)
                count += 1
                guard count <= Self.recordLimit else {
                    throw JSONError(offset: record.offset, message: "more than \(Self.recordLimit) records")
                }
                record.resolve(base, now: self.now, into: &message)
            } while try scanner.hasNext(before: UInt8(ascii: "]"), bytes)
        }
        guard scanner.peek(bytes) == nil else { throw scanner.unexpected(bytes, expected: "the end of the payload") }
        if message.readings.isEmpty, message.refusals.isEmpty {
            message.refuseWhole(
                .malformed,
                "the pack holds no value; expected one such as [{\"n\":\"level\",\"v\":1.25}]"
            )
        }
    }
}
