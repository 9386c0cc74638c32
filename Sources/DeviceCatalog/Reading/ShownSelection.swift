// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// Stored series as the catalogue shows them, each read from the store when it is asked for.
///
/// The store does not know how long a series' value stands, nor the attributes of sites, so it is asked in several ways
/// (``Part``); a series that two of them find is shown by the first.
struct ShownSelection: SelectedSeries {
    /// One way in which the store was asked.
    struct Part: Sendable {
        let base: any SelectedSeries
        /// Its place among the ways that can find the same series (``VirtualCondition/storedMatchers``).
        let pass: Int
    }

    let catalog: Catalog
    private let parts: [Part]
    /// The number of series in the parts before each.
    private let starts: [Int]
    let count: Int
    /// The first moment of a `lookback` extent: what is too old for its own series is cut off.
    private let from: Timestamp?
    /// The site of all series, where the selector names one.
    private let entry: SiteEntry?
    private let virtual: VirtualCondition?

    init(
        _ parts: [Part],
        catalog: Catalog,
        from: Timestamp?,
        entry: SiteEntry? = nil,
        virtual: VirtualCondition? = nil
    ) {
        self.catalog = catalog
        self.parts = parts
        var starts: [Int] = []
        var count = 0
        for part in parts {
            starts.append(count)
            count += part.base.count
        }
        self.starts = starts
        self.count = count
        self.from = from
        self.entry = entry
        self.virtual = virtual
    }

    func columns(of index: Int) throws -> SeriesColumns? {
        let (part, place) = self.place(of: index)
        guard var columns = try part.base.columns(of: place),
            let (labels, lookback) = self.shown(columns.labels, pass: part.pass)
        else { return nil }
        columns.labels = labels
        columns.lookback = lookback
        if let from { columns.cut(after: from - lookback) }
        return columns.times.isEmpty ? nil : columns
    }

    func summaries(of index: Int, in windows: [TimeWindow]) throws -> SummarizedSeries? {
        let (part, place) = self.place(of: index)
        guard var series = try part.base.summaries(of: place, in: windows) else { return nil }
        guard let (labels, _) = self.shown(series.labels, pass: part.pass) else {
            series.summaries = windows.map { _ in nil }
            return series
        }
        series.labels = labels
        return series
    }

    private func place(of index: Int) -> (part: Part, index: Int) {
        var low = 0
        var high = self.starts.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if self.starts[middle] <= index { low = middle } else { high = middle - 1 }
        }
        return (self.parts[low], index - self.starts[low])
    }

    /// Nil for a series that does not match, or that another part shows.
    private func shown(_ stored: Labels, pass: Int) -> (labels: Labels, lookback: Milliseconds)? {
        if let virtual, virtual.pass(of: stored) != pass { return nil }
        guard let entry = self.entry ?? self.catalog.entries[stored.site] else {
            return self.virtual?.matches(stored) ?? true ? (stored, ReportSchedule.unregisteredLookback) : nil
        }
        let shown = entry.show(stored)
        return self.virtual?.matches(shown.labels) ?? true ? shown : nil
    }
}

/// Conditions on attributes of sites, which the store does not hold.
struct VirtualCondition: Sendable {
    private let matchers: [LabelMatcher]
    /// For sites whose attributes match, and then for series that store such a label themselves, which are few.
    let storedMatchers: [LabelMatcher]

    init(_ matchers: [LabelMatcher], catalog: Catalog) {
        self.matchers = matchers
        let matchesNothingKnown = matchers.allSatisfy { $0.matches("") }
        let entries = catalog.entries
        // Matchers are compared by their values: this one holds for this snapshot only.
        let value = matchers.map(\.description).joined(separator: ",") + " in \(ObjectIdentifier(catalog))"
        let bySite = LabelMatcher(
            name: "site",
            operation: .matches,
            value: value,
            pattern: { site in
                guard let entry = entries[site] else { return matchesNothingKnown }
                return matchers.allSatisfy { $0.matches(entry.virtualLabels) }
            }
        )
        let byStoredLabel = Set(matchers.map(\.name)).sorted()
            .map { LabelMatcher(name: $0, operation: .notEqual, value: "", pattern: nil) }
        self.storedMatchers = [bySite] + byStoredLabel
    }

    /// The first of ``storedMatchers`` that finds a stored series; nil where none does.
    func pass(of stored: Labels) -> Int? { self.storedMatchers.firstIndex { $0.matches(stored) } }

    func matches(_ shown: Labels) -> Bool { self.matchers.allSatisfy { $0.matches(shown) } }
}

extension SeriesColumns {
    /// Drops the samples at or before `moment`.
    fileprivate mutating func cut(after moment: Timestamp) {
        guard let first = self.times.first, first <= moment else { return }
        let kept = self.times.firstIndex { $0 > moment } ?? self.times.count
        self.times.removeFirst(kept)
        self.values.removeFirst(kept)
        self.marks.removeFirst(kept)
    }
}
