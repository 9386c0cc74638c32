// poyang
// SPDX-License-Identifier: Apache-2.0

import CQrencode

/// A QR code (ISO/IEC 18004) of a text, as a square of dark and light modules; libqrencode makes it.
struct QRCode: Equatable {
    /// Modules on a side, without the quiet zone.
    let size: Int
    /// Row by row.
    let isDark: [Bool]

    /// With error correction M, so that 15 % of a label may be dirt; nil for more than fits, about 2,300 bytes.
    init?(_ text: String) {
        guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else { return nil }
        defer { QRcode_free(code) }
        let size = Int(code.pointee.width)
        guard let modules = code.pointee.data else { return nil }
        self.size = size
        self.isDark = (0..<size * size).map { modules[$0] & 1 == 1 }
    }

    /// An SVG drawing of any size, with the quiet zone of four modules that readers need.
    var svg: String {
        var path = ""
        for row in 0..<self.size {
            var column = 0
            while column < self.size {
                guard self.isDark[row * self.size + column] else {
                    column += 1
                    continue
                }
                let start = column
                while column < self.size, self.isDark[row * self.size + column] { column += 1 }
                path += "M\(start + 4) \(row + 4)h\(column - start)v1h-\(column - start)z"
            }
        }
        let width = self.size + 8
        return
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(width) \(width)\" shape-rendering=\"crispEdges\">"
            + "<path d=\"M0 0h\(width)v\(width)h-\(width)z\" fill=\"#fff\"/><path d=\"\(path)\"/></svg>"
    }
}
