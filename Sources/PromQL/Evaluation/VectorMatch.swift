// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// An arithmetic operation or comparison of two vectors, row by row.
///
/// Which rows go together is found out once for all steps. That several rows of one side have the same labels to match on
/// is an error only at steps at which more than one of them has an element.
struct VectorMatch {
    private let binary: BinaryPlan
    private let frame: RunFrame
    /// `group_right`: the left side is the "one" side.
    private let isSwapped: Bool
    private let many: VectorGrid
    private let one: VectorGrid
    private let table: MatchTable
    /// The rows of the "many" side; nil where nothing is filled in.
    private let manyTable: MatchTable?
    private var rows: VectorGrid
    /// The match groups that are ambiguous, where the query is not to fail by them.
    private var excluded: Set<Labels> = []
    private(set) var faults: [MatchFault] = []

    init(_ binary: BinaryPlan, _ left: VectorGrid, _ right: VectorGrid, _ frame: RunFrame) {
        self.binary = binary
        self.frame = frame
        self.isSwapped = binary.matching.cardinality == .oneToMany
        self.many = self.isSwapped ? right : left
        self.one = self.isSwapped ? left : right
        self.table = MatchTable(self.one.rows.map(\.labels), binary.matching)
        self.manyTable =
            binary.matching.fill.isEmpty ? nil : MatchTable(self.many.rows.map(\.labels), binary.matching)
        self.rows = VectorGrid(steps: left.steps)
    }

    /// - Throws: ``PromQLError`` where elements cannot be paired without ambiguity, unless that is confined to its group.
    mutating func result() throws(PromQLError) -> VectorGrid {
        try self.checkOneSide()
        let known = self.faults.count
        try self.pair()
        if self.faults.count > known {
            // Of the groups that turned out to be ambiguous some were paired already.
            self.rows = VectorGrid(steps: self.many.steps)
            try self.pair()
        }
        return self.rows
    }

    private mutating func pair() throws(PromQLError) {
        let fill = self.binary.matching.fill
        let (many, one) = (self.many, self.one)
        var rivals = Rivals()
        for (row, entry) in many.rows.enumerated() {
            let partners = self.table.partners(of: entry.labels)
            guard !partners.isEmpty || fill.right != nil else { continue }
            if !self.excluded.isEmpty, self.excluded.contains(self.table.signature(of: entry.labels)) { continue }
            let dropsName = self.binary.returnsBool || entry.dropsName
            for partner in partners {
                let labels = self.labels(many: entry.labels, one: one.rows[partner].labels)
                if partner == partners[0] { try self.check(row, labels, group: partner, partners, &rivals) }
                self.append(
                    labels,
                    dropsName: dropsName,
                    many: { many.value(row, $0) },
                    one: { one.value(partner, $0) }
                )
            }
            guard let value = fill.right else { continue }
            let labels = self.labels(many: entry.labels, one: self.table.signature(of: entry.labels))
            if partners.isEmpty, let first = self.manyTable?.partners(of: entry.labels).first {
                try self.check(row, labels, group: ~first, partners, &rivals)
            }
            self.append(
                labels,
                dropsName: dropsName,
                many: { many.value(row, $0) },
                one: { one.hasElement(in: partners, at: $0) ? .absent : value }
            )
        }
        if let value = fill.left { self.fillMany(with: value) }
    }

    /// Pairs the elements of the "one" side that have no partner with a value.
    private mutating func fillMany(with value: Double) {
        let (many, one) = (self.many, self.one)
        for (row, entry) in one.rows.enumerated() {
            let signature = self.table.signature(of: entry.labels)
            if self.excluded.contains(signature) { continue }
            let partners = self.manyTable?.partners(of: entry.labels) ?? []
            self.append(
                self.labels(many: signature, one: entry.labels),
                dropsName: self.binary.returnsBool,
                many: { many.hasElement(in: partners, at: $0) ? .absent : value },
                one: { one.value(row, $0) }
            )
        }
    }

    /// Adds what the operation says at the steps at which both sides have an element.
    @inline(__always)
    private mutating func append(
        _ labels: Labels,
        dropsName: Bool,
        many: (_ step: Int) -> Double,
        one: (_ step: Int) -> Double
    ) {
        let operation = self.binary.operation
        let returnsBool = self.binary.returnsBool
        let (isSwapped, frame) = (self.isSwapped, self.frame)
        self.rows.append(dropsName: dropsName) { places in
            for step in places.indices {
                let own = many(step)
                let other = one(step)
                if own.isAbsent || other.isAbsent { continue }
                let (left, right) = isSwapped ? (other, own) : (own, other)
                if !operation.isComparison {
                    places[step] = arithmetic(operation, left, right)
                } else if returnsBool {
                    places[step] = frame.compare(operation, left, right) ? 1 : 0
                } else if frame.compare(operation, left, right) {
                    places[step] = left
                }
            }
            return labels
        }
    }

    private func labels(many: Labels, one: Labels) -> Labels {
        let matching = self.binary.matching
        var labels = many
        if !self.binary.operation.isComparison { labels = labels.removingMetadata() }
        if matching.cardinality == .oneToOne {
            if matching.isOn {
                labels = labels.keeping(matching.labels)
            } else if !matching.labels.isEmpty {
                labels = labels.removing(matching.labels)
            }
        }
        for name in matching.include { labels[name] = one[name] }
        return labels
    }

    // MARK: Ambiguities

    /// Leaves out a match group that is ambiguous, or lets the query fail by it.
    private mutating func refuse(_ group: Labels, _ error: PromQLError) throws(PromQLError) {
        guard self.frame.options.confinesFaults else { throw error }
        guard self.excluded.insert(group).inserted else { return }
        self.faults.append(MatchFault(labels: group, message: error.message))
    }

    private mutating func checkOneSide() throws(PromQLError) {
        for crowd in self.table.crowds {
            for step in 0..<self.one.steps {
                let present = crowd.filter { !self.one.value($0, step).isAbsent }
                guard present.count > 1, self.manyTable != nil || self.many.hasElement(at: step) else { continue }
                let labels = present.prefix(2).map { self.one.rows[$0].labels }
                let group = self.table.signature(of: labels[0])
                let pair = labels.map(Self.text).sorted()
                let error = PromQLError(
                    .matching,
                    "found duplicate series for the match group \(Self.text(group)) on the "
                        + "\(self.isSwapped ? "left" : "right") hand-side of the operation: [\(pair[0]), \(pair[1])];"
                        + "many-to-many matching not allowed: matching labels must be unique on one side"
                )
                try self.refuse(group, error)
                break
            }
        }
    }

    /// Rows of the "many" side by their first partner, where several have the same; those without one by the first of
    /// themselves, as a negative number.
    private typealias Rivals = [Int: [(row: Int, labels: Labels)]]

    /// Compares a row of the "many" side with those before that match on the same labels.
    private mutating func check(
        _ row: Int,
        _ labels: Labels,
        group: Int,
        _ partners: [Int],
        _ rivals: inout Rivals
    ) throws(PromQLError) {
        guard self.many.count > 1 else { return }
        for rival in rivals[group] ?? []
        where self.binary.matching.cardinality == .oneToOne || rival.labels == labels {
            try self.checkRivals(rival.row, row, partners)
        }
        rivals[group, default: []].append((row, labels))
    }

    /// Two rows that match the same element, or a value in its place, must not both be there.
    private mutating func checkRivals(_ row: Int, _ other: Int, _ partners: [Int]) throws(PromQLError) {
        let isFilled = self.binary.matching.fill.right != nil
        for step in 0..<self.many.steps
        where !self.many.value(row, step).isAbsent && !self.many.value(other, step).isAbsent
            && (isFilled || self.one.hasElement(in: partners, at: step))
        {
            let advice =
                self.binary.matching.cardinality == .oneToOne
                ? "many-to-one matching must be explicit (group_left/group_right)"
                : "grouping labels must ensure unique matches"
            let group = self.table.signature(of: self.many.rows[row].labels)
            try self.refuse(group, PromQLError(.matching, "multiple matches for labels: \(advice)"))
            return
        }
    }

    /// All labels in braces, the name included, as Prometheus's errors write them.
    private static func text(_ labels: Labels) -> String {
        "{" + labels.map { "\($0.name)=\(NumberText.quoted($0.value))" }.joined(separator: ", ") + "}"
    }
}
