// poyang
// SPDX-License-Identifier: Apache-2.0

import Dissemination
import Telemetry

/// Sites, rules' verdicts and a book for tests.
enum Field {
    static let start = Timestamp(rfc3339: "2022-06-21T16:00:00+08:00") ?? .distantPast

    static func threshold(_ hazard: Hazard, _ level: WarningLevel, _ name: String, _ value: Double) -> Threshold {
        Threshold(
            hazard: hazard,
            level: level,
            name: name,
            value: value,
            unit: .meters,
            validFrom: .distantPast,
            validTo: nil,
            authority: "江西省水文监测中心",
            source: "",
            confidence: "verified"
        )
    }

    static let xingzi = Site(
        id: "xingzi",
        name: LocalizedName(zh: "星子", en: "Xingzi"),
        kind: .lake,
        org: "poyang-flood-office",
        basin: "poyang",
        adminCode: "360483",
        county: "庐山市",
        position: Position(latitude: 29.45, longitude: 116.05, confidence: "approximate"),
        datum: Datum(name: "wusong", offsetTo1985Meters: -1.86, validFrom: nil, source: ""),
        thresholds: [
            threshold(.flood, .blue, "警戒", 19), threshold(.flood, .orange, "保证", 22.5),
            threshold(.flood, .red, "历史最高", 22.63), threshold(.lowWater, .blue, "蓝色", 8),
        ]
    )
    static let gauge = Site(
        id: "usgs-01581752",
        name: LocalizedName(zh: "演示河道", en: "Demo creek"),
        kind: .river,
        org: "demo-cooperative",
        thresholds: [
            threshold(.flood, .blue, "", 0.9), threshold(.flood, .yellow, "", 1.2),
            threshold(.flood, .orange, "", 1.5), threshold(.flood, .red, "", 1.8),
        ]
    )

    static let sites: SiteDirectory = { id in [xingzi, gauge].first { $0.id == id } }

    static func book(exercise: Bool = false) -> WarningBook {
        WarningBook(settings: DisseminationSettings(isExercise: exercise), sites: sites)
    }

    static func context(_ minutes: Int64 = 0) -> StepContext {
        StepContext(sentAt: start + minutes * .minute, processedAt: start + minutes * .minute + 250)
    }

    /// A verdict of the stage ladder, `minutes` after ``start``.
    static func stage(
        _ change: AlertTransition.Change,
        _ level: WarningLevel,
        _ value: Double?,
        over threshold: Double? = nil,
        at minutes: Int64 = 0,
        site: String = "xingzi",
        hazard: Hazard = .flood,
        evidence: Evidence = [],
        reason: String? = nil,
        alert: String = "LakeFlood",
        lastReadingAt: Timestamp? = nil,
        annotations: [String: String] = [:],
        labels: [String: String] = [:]
    ) -> AlertTransition {
        let time = start + minutes * .minute
        return AlertTransition(
            rule: "lake.yaml/lake-flood/\(alert)/\(level.rawValue)",
            alertName: alert,
            change: change,
            labels: Labels(
                ["site": site, "hazard": hazard.rawValue, "level": level.rawValue].merging(labels) { $1 }
                    .map { Label(name: $0.key, value: $0.value) }
            ),
            hazard: hazard,
            level: level,
            eventTime: time,
            processedAt: time + 250,
            activeSince: time,
            value: value,
            threshold: threshold,
            evidence: evidence,
            reason: reason,
            lastReadingAt: lastReadingAt,
            annotations: annotations
        )
    }
}

extension WarningBook {
    /// Applies what happened at one moment.
    mutating func apply(_ transitions: AlertTransition...) -> [WarningStep] {
        let minutes = transitions.first.map { ($0.eventTime - Field.start) / .minute } ?? 0
        return self.apply(transitions, context: Field.context(minutes))
    }
}
