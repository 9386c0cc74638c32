// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import PromQL
import Telemetry

/// The stored samples of some series in a bulk format, a few series at a time.
///
/// Labels are those that are stored: what a site's attributes add is left out, so that the samples come back as they were.
struct BulkExport: Sendable {
    /// One vector selector.
    struct Selection: Sendable {
        let matchers: [LabelMatcher]
        /// Nil where the selector does not say.
        let qualities: QualitySet?

        /// - Throws: ``PromQLError`` for what is no expression, ``APIProblem`` for what is more than a selector.
        init(parsing text: String) throws {
            guard case .selector(let selector) = try Query(parsing: text).expression else {
                throw APIProblem.badInput("'match[]' should be one vector selector, found: \(text)")
            }
            guard selector.window == nil, selector.offset == 0, selector.at == nil else {
                throw APIProblem.badInput(
                    "'match[]' should have no range, 'offset' or '@' (give 'start' and 'end'), found: \(text)"
                )
            }
            self.matchers = selector.labelMatchers
            self.qualities = selector.qualities
        }
    }

    let format: BulkFormat
    let selections: [Selection]
    let after: Timestamp
    let through: Timestamp
    /// The stored series.
    let base: any SeriesReader
    /// The attributes of a site as labels; empty where none is registered.
    let attributes: @Sendable (_ site: String) -> Labels
    /// Only series of this org's sites; nil for all.
    let org: String?

    /// A series to be written.
    struct Item: Sendable {
        let labels: Labels
        let qualities: QualitySet
    }

    /// What will be written, in the order of the labels.
    func items() throws -> [Item] {
        // CSV alone keeps the quality; elsewhere what failed a test would come back as sound.
        let standard = self.format == .csv ? QualitySet.all : .trusted
        var found: [Labels: QualitySet] = [:]
        for selection in self.selections {
            var matchers = selection.matchers
            if let org = self.org { matchers.append(LabelMatcher("org", equals: org)) }
            let stored = matchers.filter { !Site.virtualLabelNames.contains($0.name) }
            let virtual = matchers.filter { Site.virtualLabelNames.contains($0.name) }
            for labels in try self.base.series(matching: stored, after: self.after, through: self.through) {
                if !virtual.isEmpty {
                    let shown = self.attributes(labels.site).merging(labels)
                    guard virtual.allSatisfy({ $0.matches(shown) }) else { continue }
                }
                found[labels, default: []].formUnion(selection.qualities ?? standard)
            }
        }
        return found.map { Item(labels: $0.key, qualities: $0.value) }.sorted { $0.labels < $1.labels }
    }

    /// The samples of one series; nil where there are none (any more).
    ///
    /// - Parameters:
    ///   - item: One of ``items()``.
    ///   - names: The label names of all of them, so that a series without a label is told from those that have it.
    /// - Returns: The samples with their stored labels.
    /// - Throws: What the store throws.
    func series(_ item: Item, names: [String]) throws -> BulkSeries? {
        let matchers = names.map { LabelMatcher($0, equals: item.labels[$0]) }
        let request = SelectRequest(
            matchers: matchers,
            extent: .window(after: self.after, through: self.through),
            qualities: item.qualities
        )
        guard let columns = try self.base.select(request).first(where: { $0.labels == item.labels }) else { return nil }
        return BulkSeries(
            labels: columns.labels,
            times: columns.times,
            values: columns.values,
            marks: columns.marks.map(\.rawValue)
        )
    }
}
