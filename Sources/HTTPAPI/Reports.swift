// poyang
// SPDX-License-Identifier: Apache-2.0

package import PayloadCodecs
package import SeriesStorage
package import Telemetry

/// How one site is, as status shows it.
package struct SiteStatus: Encodable, Sendable {
    package var site: String
    package var nameZh: String
    package var nameEn: String
    package var kind: SiteKind
    package var org: String
    package var basin: String
    /// `normal`, a level, `unknown`, or `not_instrumented`.
    package var state: String
    /// The highest level of the warnings in force, also while the state is unknown.
    package var level: WarningLevel?
    package var hazard: Hazard?
    package var metric: String?
    package var value: Double?
    package var unit: String?
    package var lastReadingAt: String?
    /// Seconds from the last reading to the site's clock.
    package var ageSeconds: Int?
    /// Why the state is unknown: `no_data`, `never_reported`, `maintenance`.
    package var reason: String?
    /// The low-water grade in force: 枯水, 低枯, 极枯.
    package var grade: String?
    /// Since when, by event time.
    package var gradeSince: String?
    /// Numbers of the warnings in force.
    package var warnings: [String]

    package init(_ site: Site) {
        self.site = site.id
        self.nameZh = site.name.zh
        self.nameEn = site.name.en
        self.kind = site.kind
        self.org = site.org
        self.basin = site.basin
        self.state = "normal"
        self.warnings = []
    }
}

/// How much the store holds, and what was done last to keep it small.
package struct StoreReport: Encodable, Sendable {
    package var series = 0
    package var samples = 0
    package var samplesInMemory = 0
    package var segments = 0
    package var blocks = 0
    package var chunks = 0
    /// `samples.db` without its WAL.
    package var fileBytes = 0
    package var walBytes = 0
    package var journalEntries = 0
    package var journalReadings = 0
    package var journalBytes = 0
    /// Absent before the first one since the start.
    package var lastMergeAt: String?
    /// Absent before the first one since the start, and without rules of retention.
    package var lastRetentionAt: String?

    package init() {}
}

/// How the service is.
package struct ServiceStatus: Encodable, Sendable {
    package var exercise: Bool
    package var clock: String
    /// The newest committed batch.
    package var position: Int64
    /// The newest batch that the rules have seen.
    package var processed: Int64
    package var subscribed: Bool
    package var broker: String
    /// Messages committed since the start, refused ones included.
    package var messages: Int
    /// Messages that the broker sent again and that were known.
    package var redelivered: Int
    /// Sequence of the newest message of the feed.
    package var feed: Int64
    /// Samples in the store.
    package var samples: Int
    /// Sentences about what is wrong now; empty when all is well.
    package var faults: [String]
    /// Our own clock looks wrong, which is one of the faults: readings are stored and judged all the same.
    package var isOwnClockSuspect: Bool
    /// How many of the faults hold up nothing but the upkeep of the store.
    package var upkeepFaults = 0
    /// What was committed before the start is still being fed to the rules again.
    package var isCatchingUp = false
    package var store = StoreReport()
    /// Values since the start, by where they ended.
    package var stored = 0
    package var duplicates = 0
    package var quarantined = 0
    package var evaluations = 0
    package var lateSamples = 0

    package init(
        exercise: Bool,
        clock: String,
        position: Int64,
        processed: Int64,
        subscribed: Bool,
        broker: String,
        messages: Int,
        redelivered: Int,
        feed: Int64,
        samples: Int,
        faults: [String],
        isOwnClockSuspect: Bool = false
    ) {
        self.exercise = exercise
        self.clock = clock
        self.position = position
        self.processed = processed
        self.subscribed = subscribed
        self.broker = broker
        self.messages = messages
        self.redelivered = redelivered
        self.feed = feed
        self.samples = samples
        self.faults = faults
        self.isOwnClockSuspect = isOwnClockSuspect
    }

    /// How many batches the rules may be behind and still count as caught up.
    private static let acceptableLag: Int64 = 64

    /// Whether a reading that arrives now would be stored and judged at once.
    package var isReady: Bool {
        self.subscribed && !self.isCatchingUp
            && self.faults.count == (self.isOwnClockSuspect ? 1 : 0) + self.upkeepFaults
            && self.position - self.processed <= Self.acceptableLag
    }
}

/// What `GET /api/status` answers.
package struct StatusReport: Encodable, Sendable {
    package var time: String
    package var sites: [SiteStatus]
    package var service: ServiceStatus

    package init(time: String, sites: [SiteStatus], service: ServiceStatus) {
        self.time = time
        self.sites = sites
        self.service = service
    }
}

/// A site as `GET /api/sites` shows it.
package struct SiteReport: Encodable, Sendable {
    package let site: String
    let nameZh: String
    let nameEn: String
    let kind: SiteKind
    package let org: String
    let basin: String
    let adminCode: String
    /// Official codes by scheme, only where verified.
    let codes: [String: String]
    let latitude: Double?
    let longitude: Double?
    let positionConfidence: Confidence?
    let datum: String?
    /// Metres; added to a level it gives the level in the 1985 national datum.
    let datumOffset: Double?
    let devices: [String]
    private let thresholds: [ThresholdReport]

    package init(_ site: Site, devices: [String]) {
        self.site = site.id
        self.nameZh = site.name.zh
        self.nameEn = site.name.en
        self.kind = site.kind
        self.org = site.org
        self.basin = site.basin
        self.adminCode = site.adminCode
        self.codes = site.codes
        self.latitude = site.position?.latitude
        self.longitude = site.position?.longitude
        self.positionConfidence = site.position?.confidence
        self.datum = site.datum?.name
        self.datumOffset = site.datum?.offsetTo1985Meters
        self.devices = devices
        self.thresholds = site.thresholds.map(ThresholdReport.init)
    }
}

/// A threshold as the API shows it.
private struct ThresholdReport: Encodable {
    let hazard: Hazard
    let level: WarningLevel
    let name: String
    let value: Double
    let unit: String
    /// Of sums of rain: `1h`, `1d`.
    let window: String?
    /// Month-day, the end exclusive: `04-01/07-01`.
    let season: String?
    let validFrom: String
    let validTo: String?
    let authority: String
    let source: String
    let confidence: Confidence

    init(_ threshold: Threshold) {
        self.hazard = threshold.hazard
        self.level = threshold.level
        self.name = threshold.name
        self.value = threshold.value
        self.unit = threshold.unit.symbol
        self.window = threshold.window.map(PrometheusDuration.text)
        self.season = threshold.season.map { "\($0.from)/\($0.to)" }
        self.validFrom = threshold.validFrom.rfc3339()
        self.validTo = threshold.validTo?.rfc3339()
        self.authority = threshold.authority
        self.source = threshold.source
        self.confidence = threshold.confidence
    }
}

/// One channel of a device, with the newest value of its series.
package struct ChannelReport: Encodable, Sendable {
    package var metric: String
    package var labels: Labels
    package var lastValue: Double?
    package var lastTime: String?
    package var unit: String
    /// The flag of that value (1 pass, 2 not evaluated, 3 suspect), and the test that a suspect one failed.
    package var lastQuality: Int?
    package var failedTest: String?
    /// How often it should report; nil where that is not registered.
    package var interval: String?

    package init(metric: String, labels: Labels, newest: Sample?, interval: String?) {
        self.metric = metric
        self.labels = labels
        self.lastValue = newest.flatMap { $0.value.isNaN ? nil : $0.value }
        self.lastTime = newest?.time.rfc3339()
        self.unit = Unit(ofMetric: metric).symbol
        self.lastQuality = newest.map { Int($0.mark.quality.rawValue) }
        self.failedTest = newest?.mark.failedTest?.description
        self.interval = interval
    }
}

/// A device as `GET /api/devices` shows it.
package struct DeviceReport: Encodable, Sendable {
    package var device: String
    package var name: String
    package var model: String
    package var site: String
    package var org: String
    /// `file` or `registry`.
    package var source: String
    package var test: Bool
    /// `waiting` until the first reading, `reporting`, `silent`; `maintenance` while work is done on it; `retired` or
    /// `replaced` when it is out of use.
    package var state: String
    /// Since when, and by whose doing, it is out of use, and which device stands in its place.
    package var retiredAt: String?
    package var retiredBy: String?
    package var replacedBy: String?
    package var maintenanceUntil: String?
    package var lastSeen: String?
    /// `online` or `offline` by its topic `status`; nil where it never said so.
    package var connection: String?
    /// When that was first heard.
    package var connectionSince: String?
    /// How long before their receipt the newest messages were made by the device's own clock, as their median.
    ///
    /// Far above zero the clock is behind, or the messages come late; below zero it is ahead. Nil without a message.
    package var clockOffsetSeconds: Double?
    package var address: String
    /// How often it reports, as its registration or its model says: `5m`, `event, heartbeat 1d`.
    package var interval: String?
    /// Metres in the site's datum, that counts now; nil where none is registered.
    package var zeroElevationMeters: Double?
    package var mountHeightMeters: Double?
    /// Where its native JSON belongs.
    package var topic: String
    package var channels: [ChannelReport]
    /// How it keeps to its interval, its battery and its signal, and what became of its values; of one device alone.
    package var health: DeviceHealth?
    /// What was done with it, oldest first; of one device alone.
    package var history: [DeviceFactReport]?
    /// What became of the levels that were stored before a survey was entered; in the answer to the survey alone.
    package var survey: SurveyedReadings?
    /// What should be known of its registration, in both languages; in the answer to that alone.
    package var notes: [String]?
    package var notesZh: [String]?

    package init(
        _ device: Device,
        org: String,
        source: String,
        state: String,
        maintenanceUntil: String?,
        lastSeen: String?,
        clockOffsetSeconds: Double?,
        interval: String?,
        channels: [ChannelReport]
    ) {
        self.device = device.id
        self.name = device.name
        self.model = device.model
        self.site = device.site
        self.org = org
        self.source = source
        self.test = device.isTest
        self.state = state
        self.maintenanceUntil = maintenanceUntil
        self.lastSeen = lastSeen
        self.clockOffsetSeconds = clockOffsetSeconds
        self.address = device.address
        self.interval = interval
        self.zeroElevationMeters = device.zeroElevation(at: .distantFuture)
        self.mountHeightMeters = device.surveys.last?.mountHeightMeters ?? device.mountHeightMeters
        self.topic = "poyang/v1/devices/\(device.id)/telemetry"
        self.channels = channels
    }
}

/// What a bulk import of devices did, row by row.
package struct DeviceImportReport: Encodable, Sendable {
    package struct Row: Encodable, Sendable {
        /// Line of the file, the header being 1.
        package var row: Int
        /// Of thresholds the site.
        package var device: String
        /// `created`, `changed`, `unchanged`, `error`.
        package var verdict: String
        /// What is wrong and what would be right, a sentence each.
        package var problems: [String]
        /// The same in Chinese, by place.
        package var problemsZh: [String]
        /// What should be known of a row that is no error.
        package var notes: [String]
        package var notesZh: [String]
        /// What changes, in words; only of thresholds.
        package var difference: String?

        package init(
            row: Int,
            device: String,
            verdict: String,
            problems: [LocalizedName],
            notes: [LocalizedName] = [],
            difference: String? = nil
        ) {
            self.row = row
            self.device = device
            self.verdict = verdict
            self.problems = problems.map(\.en)
            self.problemsZh = problems.map(\.zh)
            self.notes = notes.map(\.en)
            self.notesZh = notes.map(\.zh)
            self.difference = difference
        }
    }

    package var rows: [Row]
    package var created: Int
    package var changed: Int
    package var unchanged: Int
    package var errors: Int

    package init(rows: [Row]) {
        func count(_ verdict: String) -> Int { rows.count { $0.verdict == verdict } }
        self.rows = rows
        self.created = count("created")
        self.changed = count("changed")
        self.unchanged = count("unchanged")
        self.errors = count("error")
    }
}

/// What an import of samples did.
package struct SampleImportReport: Encodable, Sendable {
    package struct LineError: Encodable, Sendable {
        package var line: Int
        package var column: Int
        package var message: String

        package init(line: Int, column: Int, message: String) {
            self.line = line
            self.column = column
            self.message = message
        }
    }

    /// Points that are new or have a new value.
    package var imported: Int
    package var stored: Int
    package var duplicates: Int
    package var revised: Int
    /// Samples of all lines that could be read.
    package var samples: Int64
    package var lines: Int64
    /// Lines that were left out.
    package var refused: Int64
    /// Whether OpenMetrics's `# EOF` was seen.
    package var hasEnd: Bool
    /// The first of the lines that were left out.
    package var errors: [LineError]

    package init(
        counts: ImportCounts,
        samples: Int64,
        lines: Int64,
        refused: Int64,
        hasEnd: Bool,
        errors: [LineError]
    ) {
        self.imported = counts.stored + counts.revised
        self.stored = counts.stored
        self.duplicates = counts.duplicates
        self.revised = counts.revised
        self.samples = samples
        self.lines = lines
        self.refused = refused
        self.hasEnd = hasEnd
        self.errors = errors
    }
}

/// What one who imports asks for.
package struct SampleImportOrder: Sendable {
    package var format: BulkFormat
    /// Whether the body is compressed.
    package var isGzip = false
    /// The header row, where a piece of a CSV file comes without it.
    package var header: String?
    /// Ends at the first refused line.
    package var isStrict = false
    /// The name of the whole input and where in it the body begins; nil saves no progress.
    package var mark: ImportMark?
    /// Only series of this org are taken; nil takes all.
    package var org: String?

    package init(format: BulkFormat) { self.format = format }
}

/// What a reload of devices and rules left in force.
package struct ReloadReport: Encodable, Sendable {
    package var sites: Int
    package var devices: Int
    package var rules: Int
    /// What differs from what was in force.
    package var plan: [Change]

    package struct Change: Encodable, Sendable {
        /// `+` new, `~` changed, `-` gone.
        package var action: String
        package var kind: String
        package var id: String
        package var what: String

        package init(action: String, kind: String, id: String, what: String) {
            self.action = action
            self.kind = kind
            self.id = id
            self.what = what
        }
    }

    package init(sites: Int, devices: Int, rules: Int, plan: [Change]) {
        self.sites = sites
        self.devices = devices
        self.rules = rules
        self.plan = plan
    }
}

/// What became of a refused payload that was taken in again.
package struct RetryReport: Encodable, Sendable {
    package let id: Int64
    /// Values that were taken; those that had been stored before are duplicates.
    package let taken: Int
    package let refused: Int
    /// The reasons, each once, separated by blanks.
    package let reasons: String
    /// What is still wrong, a sentence each.
    package let detail: String

    package init(id: Int64, taken: Int, refused: [Refusal]) {
        self.id = id
        self.taken = taken
        self.refused = refused.reduce(0) { $0 + $1.values }
        self.reasons = Set(refused.map(\.reason.rawValue)).sorted().joined(separator: " ")
        self.detail = refused.map { refusal in refusal.key.map { "\($0): \(refusal.detail)" } ?? refusal.detail }
            .joined(separator: "; ")
    }
}
