// poyang
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Telemetry

/// SHA-256 of the bytes in lower-case hexadecimal.
func sha256(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).hexadecimal()
}

/// The chain that makes the ledger tamper-evident.
///
/// ```
/// hash(n) = SHA-256( hash(n−1) ‖ sequence ‖ number ‖ time ‖ processed time ‖ kind ‖ who ‖ what )
/// ```
/// The hash before the first is 64 zeros. Each field is UTF-8 text preceded by its length in bytes and a colon, so
/// that no text can move from one field into the next.
enum LedgerChain {
    static let origin = String(repeating: "0", count: 64)

    static func hash(after previous: String, sequence: Int64, fact: LedgerFact) -> String {
        let fields = [
            previous, String(sequence), fact.number, String(fact.time.milliseconds),
            String(fact.processedAt.milliseconds), fact.kind, fact.who, fact.what,
        ]
        var bytes: [UInt8] = []
        for field in fields {
            bytes.append(contentsOf: "\(field.utf8.count):".utf8)
            bytes.append(contentsOf: field.utf8)
        }
        return sha256(bytes)
    }
}
