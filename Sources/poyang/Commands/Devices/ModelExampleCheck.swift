// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import PayloadCodecs
import StrictYAML
import Telemetry

/// Decodes the examples beside the models and compares with what they are said to mean.
enum ModelExampleCheck {
    /// What decodes to something else, each with its place.
    static func problems(in files: CatalogFiles) -> [Problem] {
        files.examples.compactMap { example in
            guard let layout = files.models[example.model]?.payload,
                let fault = self.fault(of: example, layout)
            else { return nil }
            return Problem(
                file: example.file,
                line: example.line,
                column: example.column,
                message: "example '\(example.name)': \(fault)"
            )
        }
    }

    private static func fault(of example: ModelExample, _ layout: PayloadLayout) -> String? {
        var message = DecodedMessage()
        LayoutDecoder.decode(layout, example.bytes.span, port: example.port, time: nil, into: &message)
        switch (example.refused, message.refusals.first) {
        case (nil, let refusal?): return "it is refused: \(refusal.detail)"
        case (let reason?, nil): return "it should be refused as \(reason.rawValue), and is read"
        case (let reason?, let refusal?) where reason != refusal.reason:
            return "it should be refused as \(reason.rawValue), and is as \(refusal.reason.rawValue): \(refusal.detail)"
        default: break
        }
        let found = Dictionary(grouping: message.readings, by: \.key).mapValues { $0.map(\.value) }
        let keys = Set(found.keys).union(example.expected.keys).sorted()
        var faults = keys.compactMap { key -> String? in
            let (found, expected) = (found[key] ?? [], example.expected[key] ?? [])
            guard found.count != expected.count || !zip(found, expected).allSatisfy(self.isSame) else { return nil }
            return "\(key) is \(self.text(found)), expected \(self.text(expected))"
        }
        let firmware = message.firmware.last?.report.version.text
        if firmware != example.firmware {
            faults.append("firmware is \(firmware ?? "not there"), expected \(example.firmware ?? "not there")")
        }
        return faults.isEmpty ? nil : faults.joined(separator: "; ")
    }

    private static func isSame(_ found: Double, _ expected: Double) -> Bool {
        abs(found - expected) <= 1e-9 * max(1, abs(expected))
    }

    private static func text(_ values: [Double]) -> String {
        values.isEmpty ? "not there" : values.map { "\($0)" }.joined(separator: ", ")
    }
}
