// poyang
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import DeviceCatalog
import EarlyWarning
import Foundation
import PromQL
import StrictYAML
import Telemetry

struct RulesExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print rule files as one plain Prometheus rule file.",
        discussion: """
            For vmalert, Mimir and Prometheus itself. A path is a file or a folder; without
            one, Rules. Each level becomes a rule, an instant selector becomes
            last_over_time(x[L]), and 'clear' goes on from ALERTS. L is the look-back of the
            channels that the selector finds among --devices, else 5m. What Prometheus has
            no word for is a comment beside the rule and a note on standard error.

              poyang rules export --devices Devices --with-thresholds > poyang.rules.yaml
              promtool check rules poyang.rules.yaml

            The series site_threshold_… must exist where Prometheus evaluates the rules;
            --with-thresholds writes those of --devices that are in force at --at as
            recording rules. Export again when they change.
            """
    )

    @Argument(help: "Files or folders (default: Rules).")
    var paths: [String] = []
    @Option(help: ArgumentHelp("The device files, for look-backs and thresholds.", valueName: "dir"))
    var devices: String?
    @Flag(help: "Write the thresholds in force as recording rules.")
    var withThresholds = false
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("When they are in force (default: now).", valueName: "time"),
        transform: MomentArgument.read
    )
    var at: MomentArgument?
    @Flag(help: "Accept keys that nobody knows.")
    var ignoreUnknownFields = false

    func validate() throws {
        if self.withThresholds, self.devices == nil {
            throw ValidationError("--with-thresholds needs --devices DIR, where the thresholds stand")
        }
    }

    func run() async throws {
        var loader = RuleFileLoader()
        loader.ignoresUnknownFields = self.ignoreUnknownFields
        let paths = self.paths.isEmpty ? [RulesCheck.defaultFolder] : self.paths
        let rules = try loader.load(paths: paths)
        var export = PrometheusExport()
        if let devices = self.devices {
            let catalog = try Catalog(files: try CatalogFiles.load(directory: devices))
            export.lookback = catalog.lookback
            let at = self.at ?? .now
            if self.withThresholds { export.thresholds = try catalog.thresholdValues(at: at.time) }
        }
        let text = export.text(of: rules)
        for note in text.notes { StandardError.write("note: \(note)") }
        StandardOutput.write(String(text.file.dropLast()))
    }
}

extension Catalog {
    /// The longest look-back of the registered channels that a selector finds; five minutes where it finds none.
    func lookback(of selector: Selector) -> Milliseconds {
        let matchers = selector.labelMatchers.filter { !Site.virtualLabelNames.contains($0.name) }
        return self.sites.keys.flatMap(self.registeredChannels)
            .filter { channel in matchers.allSatisfy { $0.matches(channel.series.labels) } }
            .compactMap { $0.schedule?.lookback }
            .max() ?? ReportSchedule.unregisteredLookback
    }

    /// The thresholds in force at a moment, and the field capacities of soils, as their series are called.
    func thresholdValues(at time: Timestamp) throws -> [PrometheusExport.ThresholdValue] {
        let request = SelectRequest(
            matchers: try Query(parsing: #"{__name__=~"site_(threshold|field_capacity)_.*"}"#).selectors
                .flatMap(\.matchers),
            extent: .lookback(from: time, through: time)
        )
        return try CatalogReader(base: MemorySeries(), catalog: self).select(request)
            .compactMap { columns in
                guard let value = columns.values.last else { return nil }
                let labels = columns.labels.removing(Site.virtualLabelNames)
                return PrometheusExport.ThresholdValue(labels: labels, value: value)
            }
    }
}
