// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import PayloadCodecs
import Telemetry
import TestSupport

/// The folder of data made by others, `$POYANG_SHARED` or `../shared`; `nil` where it is missing.
let sharedFixtures: URL? = {
    let environment = ProcessInfo.processInfo.environment
    let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let shared =
        environment["POYANG_SHARED"].map { URL(filePath: $0) }
        ?? repository.deletingLastPathComponent().appending(path: "shared")
    let folder = shared.appending(path: "data/fixtures")
    // With `CI=true` a missing folder is a failure of the tests that need it.
    return FileManager.default.fileExists(atPath: folder.path) || environment["CI"] == "true" ? folder : nil
}()

func decodeSL651(_ bytes: [UInt8]) -> DecodedMessage {
    var codec = SL651Codec()
    var message = DecodedMessage()
    codec.decode(bytes.span, into: &message)
    return message
}

func beijing(_ text: String) -> Timestamp? { Timestamp(rfc3339: text + "+08:00") }

extension DecodedMessage {
    /// The values of a key in their order.
    func values(_ key: String) -> [Double] { self.readings.filter { $0.key == key }.map(\.value) }
    func times(_ key: String) -> [Timestamp?] { self.readings.filter { $0.key == key }.map(\.time) }
}
