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
            return example.problem(
                LocalizedName(zh: "样例“\(example.name)”：\(fault.zh)", en: "example '\(example.name)': \(fault.en)")
            )
        }
    }

    private static func fault(of example: ModelExample, _ layout: PayloadLayout) -> LocalizedName? {
        var message = DecodedMessage()
        LayoutDecoder.decode(layout, example.bytes.span, port: example.port, time: nil, into: &message)
        switch (example.refused, message.refusals.first) {
        case (nil, let refusal?):
            return LocalizedName(zh: "报文被拒收：\(refusal.detail)", en: "it is refused: \(refusal.detail)")
        case (let reason?, nil):
            return LocalizedName(
                zh: "应以 \(reason.rawValue) 拒收，却已读出",
                en: "it should be refused as \(reason.rawValue), and is read"
            )
        case (let reason?, let refusal?) where reason != refusal.reason:
            let found = "\(refusal.reason.rawValue): \(refusal.detail)"
            return LocalizedName(
                zh: "拒收原因应为 \(reason.rawValue)，实为 \(found)",
                en: "it should be refused as \(reason.rawValue), and is as \(found)"
            )
        default: break
        }
        let found = Dictionary(grouping: message.readings, by: \.key).mapValues { $0.map(\.value) }
        let keys = Set(found.keys).union(example.expected.keys).sorted()
        var faults = keys.compactMap { key -> LocalizedName? in
            let (found, expected) = (found[key] ?? [], example.expected[key] ?? [])
            guard found.count != expected.count || !zip(found, expected).allSatisfy(self.isSame) else { return nil }
            return self.difference(key, self.text(found), self.text(expected))
        }
        let firmware = message.firmware.last?.report.version.text
        if firmware != example.firmware { faults.append(self.difference("firmware", firmware, example.firmware)) }
        guard !faults.isEmpty else { return nil }
        return LocalizedName(
            zh: faults.map(\.zh).joined(separator: "；"),
            en: faults.map(\.en).joined(separator: "; ")
        )
    }

    private static func difference(_ key: String, _ found: String?, _ expected: String?) -> LocalizedName {
        LocalizedName(
            zh: "\(key) 为\(found.map { " \($0)" } ?? "空")，应为\(expected.map { " \($0)" } ?? "空")",
            en: "\(key) is \(found ?? "not there"), expected \(expected ?? "not there")"
        )
    }

    private static func isSame(_ found: Double, _ expected: Double) -> Bool {
        abs(found - expected) <= 1e-9 * max(1, abs(expected))
    }

    private static func text(_ values: [Double]) -> String? {
        values.isEmpty ? nil : values.map { "\($0)" }.joined(separator: ", ")
    }
}
