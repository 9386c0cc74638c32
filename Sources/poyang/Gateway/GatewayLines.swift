// poyang
// SPDX-License-Identifier: Apache-2.0

import FieldGateway
import Foundation
import Telemetry

/// What happens at a gateway, a line each: for people on standard error, for programs as JSON on standard output.
struct GatewayLines: Sendable {
    let asJSON: Bool
    private let isChinese = Terminal.isChinese

    func write(_ event: GatewayEvent) {
        let time = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)).rfc3339()
        if case .listening(let host, let port) = event {
            let shown = host.contains(":") ? "[\(host)]" : host
            StandardError.write("ready tcp://\(shown):\(port)")
        }
        guard self.asJSON else {
            StandardError.write("\(time) \(event.isTrouble ? "! " : "")\(event.text(inChinese: self.isChinese))")
            return
        }
        var members: [(key: String, value: JSONValue)] = [
            ("time", .string(time)), ("event", .string(event.name)), ("trouble", .bool(event.isTrouble)),
            ("text_zh", .string(event.text(inChinese: true))), ("text_en", .string(event.text(inChinese: false))),
        ]
        if let device = event.device { members.append(("device", .string(device))) }
        if case .stopped(let metrics) = event {
            members += metrics.counts.map { (key: $0.name, value: .integer(Int64($0.count))) }
        }
        StandardOutput.write(JSONValue.objectText(members))
    }
}
