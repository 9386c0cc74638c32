// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// The text of a CSV file: UTF-8 with or without a byte-order mark.
///
/// Spreadsheets save other encodings unless they are asked; what would be read wrongly is refused.
enum CSVText {
    /// Lines that end with a carriage return alone, as of old, end with a line feed in the text.
    ///
    /// - Throws: ``CSVRecords/Failure`` that names the encoding or the first byte that is no UTF-8.
    static func decode(_ bytes: [UInt8]) throws(CSVRecords.Failure) -> String {
        // A header row begins with a letter of ASCII.
        guard !bytes.starts(with: [0xFF, 0xFE]), !bytes.starts(with: [0xFE, 0xFF]), !bytes.prefix(2).contains(0) else {
            throw CSVRecords.Failure(
                line: 1,
                message: LocalizedName(
                    zh: "文件是 UTF-16 编码（Excel 的“Unicode 文本”）；请另存为 UTF-8（Excel：CSV UTF-8）",
                    en: "the file is UTF-16, as Excel's 'Unicode Text' is; save it as UTF-8 (in Excel: CSV UTF-8)"
                )
            )
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw self.failure(bytes) }
        guard text.utf8.contains(UInt8(ascii: "\r")), !text.utf8.contains(UInt8(ascii: "\n")) else { return text }
        return text.replacing("\r", with: "\n")
    }

    private static func failure(_ bytes: [UInt8]) -> CSVRecords.Failure {
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var (line, column, offset) = (1, 1, 0)
        while case .valid(let character) = parser.parseScalar(from: &iterator) {
            offset += character.count
            (line, column) = character.first == UInt8(ascii: "\n") ? (line + 1, 1) : (line, column + 1)
        }
        let byte = "0x" + String(bytes[offset], radix: 16, uppercase: true)
        return CSVRecords.Failure(
            line: line,
            message: LocalizedName(
                zh: "文件不是 UTF-8（第 \(column) 个字符处的字节 \(byte)），可能是 GBK；请另存为 UTF-8（Excel：CSV UTF-8）",
                en: "the file is not UTF-8 (byte \(byte) at column \(column)), GBK perhaps; save it as UTF-8 "
                    + "(in Excel: CSV UTF-8)"
            )
        )
    }
}

extension CSVRecords {
    /// Reads a whole file, whose first line shows what its fields are separated by: `;`, `,` or tabs.
    init(file bytes: [UInt8]) throws(Failure) {
        let text = try CSVText.decode(bytes)
        let header = text.prefix { !$0.isNewline }
        let delimiter: Unicode.Scalar =
            header.contains(";") ? ";" : header.contains("\t") && !header.contains(",") ? "\t" : ","
        try self.init(text, delimiter: delimiter)
    }
}
