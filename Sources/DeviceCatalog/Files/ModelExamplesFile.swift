// poyang
// SPDX-License-Identifier: Apache-2.0

package import StrictYAML
package import Telemetry

/// A payload of a model, from its vendor's documents, and what it means.
package struct ModelExample: Hashable, Sendable {
    package var model: String
    package var name: String
    package var port: Int?
    package var bytes: [UInt8]
    /// The values by their keys, in the payload's unit and the order of their readings.
    package var expected: [String: [Double]]
    /// The version of its firmware that it says.
    package var firmware: String?
    /// Why it is refused, or a part of it is.
    package var refused: QuarantineReason?
    package var file: String
    package var line: Int
    package var column: Int

    /// What is wrong with it, at its place.
    package func problem(_ message: LocalizedName) -> Problem {
        Problem(file: self.file, line: self.line, column: self.column, message: message.en, zh: message.zh)
    }
}

/// Reads `Devices/models/<vendor>/<model>.examples.yaml`.
///
/// ```yaml
/// - name: nominal
///   source: https://…
///   port: 85
///   frame: "01 75 5C 03 82 1E 00"
///   expect: { battery: 92, distance: 30 }
/// ```
enum ModelExamplesFile {
    static func read(_ root: YAMLValue, model: String) -> [ModelExample] {
        let examples = (root.list ?? []).compactMap { self.example($0, model: model) }
        if root.isList, examples.isEmpty { root.report("the file holds no example", zh: "文件中没有样例") }
        return examples
    }

    private static func example(_ value: YAMLValue, model: String) -> ModelExample? {
        let keys = ["name", "source", "port", "frame", "expect", "firmware", "refused", "notes"]
        guard let map = value.mapping(keys: keys) else { return nil }
        for key in ["source", "notes"] { _ = map[key]?.text }
        if map["source"] == nil {
            value.report("'source' is missing: which document shows this payload?", zh: "缺少“source”：该报文出自哪份文档？")
        }
        let refused = map["refused"]?.choice("reason", of: QuarantineReason.self)
        guard let name = map.required("name")?.text, let frame = map.required("frame"),
            let bytes = self.bytes(frame)
        else { return nil }
        var expected: [String: [Double]] = [:]
        for entry in map["expect"]?.anyMapping()?.entries ?? [] {
            let values = entry.value.isList ? entry.value.list ?? [] : [entry.value]
            expected[entry.key] = values.compactMap(\.double)
        }
        let firmware = map["firmware"]?.text
        if map["expect"] == nil, firmware == nil, refused == nil {
            value.report(
                "say what it means: 'expect', 'firmware', or 'refused' with the reason",
                zh: "请注明结果：expect、firmware，或 refused 及原因"
            )
        }
        return ModelExample(
            model: model,
            name: name,
            port: map["port"]?.whole(in: 0...255, "a port", zh: "端口"),
            bytes: bytes,
            expected: expected,
            firmware: firmware,
            refused: refused,
            file: value.file,
            line: value.line,
            column: value.column
        )
    }

    private static func bytes(_ value: YAMLValue) -> [UInt8]? {
        guard let text = value.string else { return nil }
        let digits = text.filter { !$0.isWhitespace }
        let bytes = stride(from: 0, to: digits.count, by: 2)
            .map { UInt8(digits.dropFirst($0).prefix(2), radix: 16) }
        guard digits.count % 2 == 0, digits.allSatisfy(\.isHexDigit), !bytes.contains(nil) else {
            value.report(
                "'frame' is pairs of hexadecimal digits, in quotes: \"01 75 5C\"",
                zh: "frame 应为成对的十六进制数字，加引号：\"01 75 5C\""
            )
            return nil
        }
        return bytes.compactMap { $0 }
    }
}
