// poyang
// SPDX-License-Identifier: Apache-2.0

package import CatalogStorage
package import EarlyWarning
package import Hummingbird
package import PromQL
package import SeriesStorage
package import Telemetry

/// What the routes need from the running platform.
package protocol APIBackend: Sendable {
    /// Wall time.
    func now() -> Timestamp

    /// Registry, warnings, feed, ledger and tokens.
    var records: CatalogStore { get }
    /// Series and quarantine.
    var samples: SeriesStore { get }
    /// Wakes those who follow the feed.
    var feedSignal: FeedSignal { get }
    /// Shows the messages of devices while they come in.
    var deviceTap: DeviceTap { get }

    /// Where queries run; one for all ways in.
    var queries: QueryService { get }

    /// The series as one who asks may see them, with virtual labels; limited to an org where one is given.
    func reader(org: String?) -> any SeriesReader

    func status(org: String?) async throws -> StatusReport
    /// How the service is, answered at once.
    func serviceStatus() throws -> ServiceStatus
    func alertReports(org: String?) async throws -> [AlertReport]
    /// The rules in force, with those of their alerts that may be seen.
    func ruleGroups(org: String?) async throws -> [RuleGroupReport]
    /// Finds the rules that `alert` means and what is known of their alerts; what is given evaluates their parts.
    ///
    /// `time` is nil for now: the clock of `site`, or of what reported last.
    func explanation(
        of alert: String,
        site: String?,
        at time: Timestamp?,
        org: String?
    ) async throws -> @Sendable (EvaluationOptions) throws -> [RuleExplanation]
    /// Plays stored history through rules until it is stopped.
    func backtest(
        _ order: BacktestOrder,
        org: String?,
        stop: QueryStop,
        progress: @escaping @Sendable (Double) -> Void
    ) async throws -> Backtest.Outcome
    func siteReports(org: String?) -> [SiteReport]
    func deviceReports(org: String?) async throws -> [DeviceReport]
    /// One device; nil where it is not there or of another org.
    func deviceReport(_ id: String, org: String?) async throws -> DeviceReport?
    /// The devices as a CSV file that ``importDevices(csv:dryRun:org:)`` takes back without a change.
    func exportDevices(site: String?, org: String?) -> String
    /// By what the messages of a device are recognised; nil where it is not there or of another org.
    func watchedDevice(_ id: String, org: String?) -> WatchedDevice?
    /// Waits until the rules have judged all that is committed now.
    func judged() async throws
    func modelReports() -> [ModelReport]
    /// Takes a device out of use; its series and its history stay.
    func retireDevice(_ id: String, by name: String, access: Access) async throws
    /// Puts a new device in the place of another, which is retired; the series go on.
    func replaceDevice(_ order: ReplacementOrder) async throws -> DeviceReport
    /// Registers the thresholds of a CSV file; nothing is changed when `dryRun` is set.
    func importThresholds(csv: [UInt8], dryRun: Bool, org: String?) async throws -> DeviceImportReport
    /// Takes a refused payload in again, as if it had come now.
    ///
    /// - Throws: ``APIProblem`` 409 for what was not kept whole or has no topic, 422 where all of it is refused again.
    func retry(_ entry: QuarantineEntry) async throws -> RetryReport
    /// Makes accounts at the broker, for all devices that have none where none is named; old passwords end.
    ///
    /// Those that can have none are then passed over, and reported with the problem.
    ///
    /// - Throws: ``APIProblem`` 409 where the service does not keep the broker's accounts, or a named device has the name of
    ///   another user of the broker.
    func makeCredentials(for devices: [String]?, by name: String, access: Access) async throws -> [CredentialReport]
    /// Makes an account at the broker for a gateway or a network server, which publishes for devices of every org; an old
    /// password ends.
    ///
    /// - Throws: ``APIProblem`` 403 for a token that is bound to an org, 409 where a device or another user has the name.
    func makeAccount(_ user: String, _ role: AccountRole, by name: String, access: Access) async throws
        -> CredentialReport
    /// Takes the account of a device, a gateway or a network server away.
    func revokeCredentials(of user: String, by name: String, access: Access) async throws -> CredentialReport
    /// Who has an account, without passwords.
    func credentials(org: String?) throws -> [CredentialReport]
    /// Enters where the zero of a gauge lies from a moment on.
    func surveyDevice(_ order: SurveyOrder) async throws -> DeviceReport
    /// The site's facts; nil where none is registered.
    func site(_ id: String) -> Site?

    /// Registers the devices of a CSV file; nothing is changed when `dryRun` is set.
    func importDevices(csv: [UInt8], dryRun: Bool, org: String?) async throws -> DeviceImportReport
    /// Stores a reading that a person entered, and returns when the rules have judged it.
    ///
    /// - Throws: ``APIProblem`` 422 with everything that is wrong, 409 where another value is stored at that time and
    ///   the order is no correction.
    func enterReading(_ order: ManualReadingOrder) async throws -> ManualReadingReport
    /// Waits until what was committed is processed; what is given tests the stored samples of one series for plausibility,
    /// and stores what differs where the order says so. It reads the store and may wait: for the query threads.
    func qualityReview(_ order: QualityOrder) async throws -> @Sendable (Labels) throws -> QualityReport
    /// What people entered last, newest first; of one site where it is named.
    func manualReadings(site: String?, org: String?, limit: Int) throws -> [ManualReadingReport]
    /// Puts a device under maintenance from now on; what it reports meanwhile warns nobody.
    ///
    /// - Throws: ``APIProblem`` 404 for a device that is not there or of another org, 422 with what is wrong.
    func beginMaintenance(_ order: MaintenanceOrder) async throws -> MaintenanceReport
    /// Ends it before its time.
    ///
    /// - Throws: ``APIProblem`` 409 where there is none.
    func endMaintenance(of device: String, by name: String, access: Access) async throws -> MaintenanceReport
    /// The newest windows, newest first; of one device where it is named.
    func maintenance(device: String?, org: String?, limit: Int) async throws -> [MaintenanceReport]
    /// Writes down what an instrument showed before and after it was calibrated.
    func addCalibration(_ order: CalibrationOrder) throws -> CalibrationReport
    func calibrations(device: String, org: String?, limit: Int) throws -> [CalibrationReport]
    /// Stores pushed samples on the way that readings take, and returns when they are on disk.
    ///
    /// `sender` is named where something was refused; only series of `org` are taken, if one is given.
    func remoteWrite(_ body: RequestBody, from sender: String, org: String?) async throws -> RemoteWriteReport
    /// Stores samples in bulk; they are not evaluated by the rules.
    func importSamples(_ body: RequestBody, _ order: SampleImportOrder) async throws -> SampleImportReport
    /// How far an import of this name came that was not finished.
    func importMark(of source: String) throws -> ImportMark?
    /// Forgets the mark of an import and merges what it left in small pieces.
    func finishImport(of source: String?) async throws
    /// Removes the samples of series in `[from, through]` and says by how many the store is smaller.
    func removeSamples(of series: [Labels], from: Timestamp, through: Timestamp) async throws -> Int
    /// Loads devices and rules again; with a problem in any file, or when `dryRun` is set, nothing is changed.
    func reload(dryRun: Bool) async throws -> ReloadReport
    /// Moves the data clock of one site, or of all, and fires the timers that fall due.
    func advanceClock(to time: Timestamp, site: String?) async throws
    /// Records who took note of a warning.
    func acknowledge(number: String, by name: String, note: String) async throws

    /// Checks everything on disk while the service goes on; `progress` takes the share that is done.
    func verify(progress: @escaping @Sendable (Double) -> Void) async throws -> DataVerificationReport
    /// Writes a backup to a file of the service's machine while the service goes on.
    func backup(
        to file: String,
        replacing: Bool,
        progress: @escaping @Sendable (Double) -> Void
    ) async throws -> BackupReport

    /// The text of `/metrics`.
    func metrics() async throws -> String
}

/// What a backtest plays.
package struct BacktestOrder: Sendable {
    package let rules: [RuleFileText]
    package let from: Timestamp
    /// Included.
    package let through: Timestamp
    /// Nil for all that may be seen.
    package let sites: [String]?
    /// See ``Backtest/curvePoints``.
    package let curvePoints: Int
}

/// An alert as Prometheus's `/api/v1/alerts` shows it.
package struct AlertReport: Encodable, Sendable {
    package var labels: Labels
    package var annotations: [String: String]
    /// `pending`, `firing`; ours adds `unknown`.
    package var state: String
    /// As RFC 3339 writes it.
    package var activeAt: String
    /// A float as Prometheus prints it; `NaN` where there is none.
    package var value: String

    package init(labels: Labels, annotations: [String: String], state: String, activeAt: String, value: Double?) {
        self.labels = labels
        self.annotations = annotations
        self.state = state
        self.activeAt = activeAt
        self.value = PrometheusNumber.text(value ?? .nan)
    }
}
