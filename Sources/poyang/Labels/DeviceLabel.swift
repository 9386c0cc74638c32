// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What stands on the label of a device, and in its QR code: `poyang:ID?model=…&address=…`.
///
/// Who scans it where the device is put up has what `devices register` needs but the site.
struct DeviceLabel: Hashable {
    private static let scheme = "poyang:"

    var device: String
    var model = ""
    var address = ""
    /// Only for people.
    var name = ""

    init(device: String, model: String = "", address: String = "", name: String = "") {
        self.device = device
        self.model = model
        self.address = address
        self.name = name
    }

    /// Reads the text of a code; nil for any other text.
    init?(text: String) {
        guard text.hasPrefix(Self.scheme) else { return nil }
        let parts = text.dropFirst(Self.scheme.count)
            .split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let id = parts.first.flatMap({ String($0).removingPercentEncoding }), !id.isEmpty else { return nil }
        self.init(device: id)
        for pair in parts.dropFirst().flatMap({ $0.split(separator: "&") }) {
            let sides = pair.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
            guard sides.count == 2 else { continue }
            switch sides[0] {
            case "model": self.model = sides[1]
            case "address": self.address = sides[1]
            default: break
            }
        }
    }

    /// The text of its code.
    var text: String {
        let query = APIClient.encoded([
            ("model", self.model.isEmpty ? nil : self.model), ("address", self.address.isEmpty ? nil : self.address),
        ])
        return Self.scheme + APIClient.component(self.device) + (query.isEmpty ? "" : "?\(query)")
    }
}

/// Labels as a page that any browser prints: three by eight on A4.
struct LabelSheet {
    let labels: [DeviceLabel]

    /// - Throws: ``CommandFailure`` for a label that holds more than a QR code can.
    func html() throws -> String {
        var cells = ""
        for label in self.labels {
            guard let code = QRCode(label.text) else {
                throw CommandFailure(
                    "the label of \(label.device) is too long for a QR code: \(label.text.utf8.count) bytes"
                )
            }
            let lines = [label.name, label.model, label.address].filter { !$0.isEmpty }
            cells +=
                "<div>\(code.svg)<p><b>\(Self.escaped(label.device))</b>"
                + lines.map { "<br>\(Self.escaped($0))" }.joined() + "</p></div>\n"
        }
        return """
            <!DOCTYPE html>
            <html lang="zh-CN"><meta charset="utf-8"><title>poyang: 设备标签 device labels</title>
            <style>
            @page { size: A4; margin: 8mm }
            body { display: grid; grid-template-columns: repeat(3, 64mm); margin: 0; font: 9pt sans-serif }
            div { height: 34mm; display: flex; align-items: center; overflow: hidden; break-inside: avoid }
            svg { width: 30mm; height: 30mm; flex: none }
            p { margin: 0 2mm; overflow-wrap: anywhere }
            </style>
            \(cells)</html>

            """
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
