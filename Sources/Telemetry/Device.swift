// poyang
// SPDX-License-Identifier: Apache-2.0

/// How often a channel is expected to report.
package enum ReportSchedule: Hashable, Sendable {
    case periodic(Milliseconds)
    /// On change, with a sign of life at least every `heartbeat`.
    case event(heartbeat: Milliseconds)

    /// How long a value stands for the present: 2.5 × the interval, or 2.5 × the heartbeat.
    package var lookback: Milliseconds {
        switch self {
        case .periodic(let interval): interval * 5 / 2
        case .event(let heartbeat): heartbeat * 5 / 2
        }
    }

    /// How far the site's tick clock stays behind wall time: interval + 2 min, or 2 min for event channels.
    package var grace: Milliseconds {
        switch self {
        case .periodic(let interval): interval + 2 * .minute
        case .event: 2 * .minute
        }
    }

    /// From which age on a channel counts as silent: max(2 intervals, 15 min), or the heartbeat and as much again.
    package var silenceLimit: Milliseconds {
        switch self {
        case .periodic(let interval): max(2 * interval, 15 * .minute)
        case .event(let heartbeat): max(2 * heartbeat, 15 * .minute)
        }
    }

    /// The look-back of a series that no registered channel feeds, as in Prometheus.
    package static let unregisteredLookback: Milliseconds = 5 * .minute
    /// The tick clock's distance where no channel is registered.
    package static let unregisteredGrace: Milliseconds = 7 * .minute
}

/// One measurand of a device model.
package struct Channel: Hashable, Sendable {
    /// The metric that it feeds: `water_level_meters`.
    package var metric: String
    /// The key in the payload.
    package var key: String
    /// The unit of the payload; converted to the metric's canonical unit.
    package var unit: Unit
    /// Bounds in the payload's unit, before zero is added; outside is quarantined as `out_of_range`.
    package var minimum: Double?
    package var maximum: Double?
    /// Whether the site's zero elevation is added after conversion.
    package var addsZeroElevation: Bool
    /// Labels beside `site`: `depth="20cm"`, `position`, `sensor`.
    package var labels: Labels
    package var schedule: ReportSchedule?
    /// After how long without any change of its value the channel counts as stuck; never where absent.
    package var stuckAfter: Milliseconds?
    /// What makes a value suspect; nil where none is tested.
    package var quality: QualityParameters?

    package init(
        metric: String,
        key: String,
        unit: Unit,
        minimum: Double?,
        maximum: Double?,
        addsZeroElevation: Bool,
        labels: Labels,
        schedule: ReportSchedule?,
        stuckAfter: Milliseconds? = nil,
        quality: QualityParameters? = nil
    ) {
        self.metric = metric
        self.key = key
        self.unit = unit
        self.minimum = minimum
        self.maximum = maximum
        self.addsZeroElevation = addsZeroElevation
        self.labels = labels
        self.schedule = schedule
        self.stuckAfter = stuckAfter
        self.quality = quality
    }
}

/// A kind of hardware.
package struct DeviceModel: Hashable, Sendable {
    /// `vendor/model`, the path of its file.
    package var id: String
    package var channels: [Channel]
    /// What the model may send besides; each is a channel of a device from its first reading on and is not missed before.
    package var optionalChannels: [Channel]
    /// Whether any metric name of the platform is taken as a key (`generic/json`).
    package var takesAnyMetric: Bool
    /// How often the channels report that have no schedule of their own; a device's own schedule replaces it.
    package var schedule: ReportSchedule?
    /// For models that speak HJ 212.
    package var hj212: HJ212Dialect
    /// Where the values stand in the bytes of its own frames, for models whose frames are passed on as they are.
    package var payload: PayloadLayout?

    package init(
        id: String,
        channels: [Channel],
        optionalChannels: [Channel] = [],
        takesAnyMetric: Bool,
        schedule: ReportSchedule? = nil,
        hj212: HJ212Dialect = HJ212Dialect(),
        payload: PayloadLayout? = nil
    ) {
        self.id = id
        self.channels = channels
        self.optionalChannels = optionalChannels
        self.takesAnyMetric = takesAnyMetric
        self.schedule = schedule
        self.hj212 = hj212
        self.payload = payload
    }
}

/// Where the zero of a gauge lies from a day on, as somebody surveyed it.
package struct ZeroSurvey: Hashable, Sendable, Codable {
    /// Inclusive.
    package var validFrom: Timestamp
    /// Metres in the site's datum.
    package var zeroElevationMeters: Double
    /// Metres above the zero, of what looks down on the water.
    package var mountHeightMeters: Double?
    package var surveyor: String
    /// The document; empty where there is none.
    package var source: String

    package init(
        validFrom: Timestamp,
        zeroElevationMeters: Double,
        mountHeightMeters: Double? = nil,
        surveyor: String,
        source: String = ""
    ) {
        self.validFrom = validFrom
        self.zeroElevationMeters = zeroElevationMeters
        self.mountHeightMeters = mountHeightMeters
        self.surveyor = surveyor
        self.source = source
    }
}

/// When a device was taken from a site to the one where it is.
package struct DeviceMove: Hashable, Sendable, Codable {
    /// The site where it stood before.
    package var from: String
    package var at: Timestamp

    package init(from: String, at: Timestamp) {
        self.from = from
        self.at = at
    }
}

/// A piece of hardware, installed at a site.
package struct Device: Hashable, Sendable {
    package var id: String
    package var name: String
    package var model: String
    package var site: String
    /// Metres added to a level after conversion: the elevation of the gauge's zero in the site's datum, until the first
    /// of the ``surveys``.
    package var zeroElevationMeters: Double?
    package var mountHeightMeters: Double?
    /// Later surveys of the zero, oldest first; what a device reported is the stored value less the zero of its time.
    package var surveys: [ZeroSurvey] = []
    /// Overrides the model's report interval.
    package var schedule: ReportSchedule?
    /// DevEUI, SL 651 address, MN, …; empty where it has none.
    package var address: String
    /// Simulated readings of a test device are stored outside of exercises, too.
    package var isTest: Bool
    /// From when on it is expected to report; where it is not known, a device that never did is not missed.
    package var installedAt: Timestamp?
    /// Which of several devices of a site that measure the same has the site's plain series: the one of the lowest rank.
    ///
    /// Of a file's devices their order in it, of registered ones the time of registration in ms; a device that replaces
    /// another has its rank. Nil where it is yet to be registered.
    package var rank: Int64?
    /// Its last move, where it was registered at another site before; of devices of files nobody says it.
    package var move: DeviceMove?

    package init(
        id: String,
        name: String = "",
        model: String,
        site: String,
        zeroElevationMeters: Double? = nil,
        mountHeightMeters: Double? = nil,
        schedule: ReportSchedule? = nil,
        address: String = "",
        isTest: Bool = false,
        installedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.model = model
        self.site = site
        self.zeroElevationMeters = zeroElevationMeters
        self.mountHeightMeters = mountHeightMeters
        self.schedule = schedule
        self.address = address
        self.isTest = isTest
        self.installedAt = installedAt
    }
}

extension Device {
    /// ``rank``, where it is known; after all others where it is not.
    package var place: Int64 { self.rank ?? self.installedAt?.milliseconds ?? .max }

    /// The elevation of the gauge's zero that counts for readings of a moment; nil where none is known.
    package func zeroElevation(at moment: Timestamp) -> Double? {
        self.surveys.last { $0.validFrom <= moment }?.zeroElevationMeters ?? self.zeroElevationMeters
    }
}

/// The form of device and site ids: `[A-Za-z0-9._:-]{1,64}`, case-sensitive.
package enum Identifier {
    package static func isValid(_ text: some StringProtocol) -> Bool {
        let bytes = text.utf8
        return (1...64).contains(bytes.count) && bytes.allSatisfy(self.isAllowed)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
