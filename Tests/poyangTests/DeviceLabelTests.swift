// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import poyang

struct DeviceLabelTests {
    @Test(arguments: [
        DeviceLabel(device: "soil-9"), DeviceLabel(device: "rtu:1.a_b", model: "generic/sl651", address: "62300001"),
        DeviceLabel(device: "x", model: "acme/Ä & Ö?", address: "70-B3"),
    ])
    func theTextOfACodeIsReadBack(label: DeviceLabel) {
        #expect(DeviceLabel(text: label.text) == label)
        #expect(label.text.utf8.allSatisfy { $0 > 32 && $0 < 127 })
    }

    @Test(arguments: ["soil-9", "https://example.com", "poyang:", "poyang:?model=x", "poyang:%zz"])
    func otherTextsAreNoLabels(text: String) {
        #expect(DeviceLabel(text: text) == nil)
    }

    /// ISO/IEC 18004: version 1 has 21 modules on a side and each further one 4 more; three corners have the finder.
    @Test func aCodeHasTheShapeOfAQRCode() throws {
        let code = try #require(QRCode(DeviceLabel(device: "soil-9", model: "generic/json").text))
        #expect(code.size >= 21 && (code.size - 21) % 4 == 0)
        let finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
        for (top, left) in [(0, 0), (0, code.size - 7), (code.size - 7, 0)] {
            let rows = (0..<7)
                .map { row in
                    (0..<7).map { code.isDark[(top + row) * code.size + left + $0] ? "1" : "0" }.joined()
                }
            #expect(rows == finder)
        }
        #expect(QRCode(String(repeating: "x", count: 5000)) == nil)
    }

    @Test func labelsOfADeliveryAreOnOnePageAndHarmless() throws {
        try inTemporaryFolder { folder in
            let file = folder.appending(path: "delivery.csv")
            let text = "device_id,model,address,name\nsoil-1,generic/json,,<七号田>\nrtu-1,generic/sl651,62300001,\n"
            try text.write(to: file, atomically: true, encoding: .utf8)
            let labels = try DevicesLabels.labels(ofFile: file.path)
            #expect(labels.map(\.device) == ["soil-1", "rtu-1"])
            let html = try LabelSheet(labels: labels).html()
            #expect(html.components(separatedBy: "<svg").count == 3)
            #expect(html.contains("&lt;七号田&gt;") && html.contains("<b>rtu-1</b><br>generic/sl651<br>62300001"))
        }
    }
}
