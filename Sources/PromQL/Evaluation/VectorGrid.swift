// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

extension Double {
    private static let staleBits: UInt64 = 0x7FF0_0000_0000_0002

    /// Stands where a vector has no element at a step: Prometheus's mark for the end of a series, which is never a value.
    static let absent = Double(bitPattern: Self.staleBits)

    /// Prometheus's mark for "this series ends here": a NaN with this very bit pattern.
    @inline(__always)
    var isStaleMarker: Bool { self.bitPattern == 0x7FF0_0000_0000_0002 }

    @inline(__always)
    var isAbsent: Bool { self.isStaleMarker }
}

/// The vectors of an expression at all steps of a grid: a row for each label set, a place for each step.
struct VectorGrid {
    struct Row {
        var labels: Labels
        /// Whether the metric name goes at the end (delayed name removal): until then it tells series apart.
        var dropsName: Bool
    }

    let steps: Int
    private(set) var rows: [Row] = []
    /// Row after row, ``Double/absent`` where there is no element.
    private(set) var values: [Double] = []

    init(steps: Int) { self.steps = steps }

    /// One element, or one for each step.
    init(steps: Int, labels: Labels, _ scalar: ScalarSteps) {
        self.steps = steps
        self.rows = [Row(labels: labels, dropsName: false)]
        switch scalar {
        case .same(let value): self.values = Array(repeating: value, count: steps)
        case .each(let values): self.values = values
        }
    }

    var count: Int { self.rows.count }
    var isEmpty: Bool { self.rows.isEmpty }

    func value(_ row: Int, _ step: Int) -> Double { self.values[row * self.steps + step] }
    func values(of row: Int) -> ArraySlice<Double> { self.values[row * self.steps..<(row + 1) * self.steps] }

    func hasElement(at step: Int) -> Bool {
        for row in self.rows.indices where !self.value(row, step).isAbsent { return true }
        return false
    }

    /// Whether any of some rows has an element at a step.
    func hasElement(in rows: [Int], at step: Int) -> Bool { rows.contains { !self.value($0, step).isAbsent } }

    mutating func reserve(rows: Int) {
        self.rows.reserveCapacity(rows)
        self.values.reserveCapacity(rows * self.steps)
    }

    mutating func append(_ row: Row, _ values: some Collection<Double>) {
        self.rows.append(row)
        self.values.append(contentsOf: values)
    }

    /// Adds a row whose places `fill` sets, and which it names; none where it gives no labels.
    mutating func append(
        dropsName: Bool,
        filledBy fill: (UnsafeMutableBufferPointer<Double>) throws -> Labels?
    ) rethrows {
        let start = self.values.count
        self.values.append(contentsOf: repeatElement(.absent, count: self.steps))
        let labels = try self.values.withUnsafeMutableBufferPointer { all -> Labels? in
            let places = UnsafeMutableBufferPointer(rebasing: all[start...])
            let labels = try fill(places)
            return places.allSatisfy(\.isAbsent) ? nil : labels
        }
        if let labels {
            self.rows.append(Row(labels: labels, dropsName: dropsName))
        } else {
            self.values.removeLast(self.steps)
        }
    }

    mutating func append(contentsOf other: VectorGrid) {
        if self.isEmpty {
            self.rows = other.rows
            self.values = other.values
        } else {
            self.rows.append(contentsOf: other.rows)
            self.values.append(contentsOf: other.values)
        }
    }

    mutating func relabel(_ row: Int, _ labels: Labels, dropsName: Bool) {
        self.rows[row].labels = labels
        self.rows[row].dropsName = dropsName
    }

    /// Replaces every element; the names go.
    mutating func map(_ transform: (_ value: Double, _ step: Int) -> Double) {
        for row in self.rows.indices { self.rows[row].dropsName = true }
        self.update(transform)
    }

    /// Replaces every element; one that becomes ``Double/absent`` is left out.
    mutating func update(_ transform: (_ value: Double, _ step: Int) -> Double) {
        let steps = self.steps
        self.values.withUnsafeMutableBufferPointer { values in
            var step = 0
            for index in values.indices {
                if !values[index].isAbsent { values[index] = transform(values[index], step) }
                step += 1
                if step == steps { step = 0 }
            }
        }
    }

    /// Takes out rows without any element.
    mutating func removeEmptyRows() {
        var kept: [Int] = []
        for row in self.rows.indices where !self.values(of: row).allSatisfy(\.isAbsent) { kept.append(row) }
        if kept.count < self.rows.count { self = self.picking(kept) }
    }

    /// These rows in this order.
    func picking(_ order: [Int]) -> VectorGrid {
        var result = VectorGrid(steps: self.steps)
        result.reserve(rows: order.count)
        for row in order { result.append(self.rows[row], self.values(of: row)) }
        return result
    }

    /// Makes rows with the same labels one.
    ///
    /// - Throws: ``PromQLError`` where two of them have an element at the same step.
    func joined() throws(PromQLError) -> VectorGrid {
        var faults: [MatchFault]?
        return try self.joined(confining: &faults)
    }

    /// The same, with elements that stand at the same step left out where `faults` is there to take notice of them.
    func joined(confining faults: inout [MatchFault]?) throws(PromQLError) -> VectorGrid {
        guard self.count > 1, let places = self.sharedPlaces() else { return self }
        var result = VectorGrid(steps: self.steps)
        var targets: [Int: Int] = [:]
        var ambiguous: Set<Int> = []
        for row in self.rows.indices {
            guard let target = targets[places[row]] else {
                targets[places[row]] = result.count
                result.append(self.rows[row], self.values(of: row))
                continue
            }
            for step in 0..<self.steps {
                let value = self.value(row, step)
                guard !value.isAbsent else { continue }
                let place = target * self.steps + step
                guard result.value(target, step).isAbsent, !ambiguous.contains(place) else {
                    let labels = self.rows[row].labels
                    let error = PromQLError(
                        .matching,
                        "vector cannot contain metrics with the same labelset: \(labels)"
                    )
                    guard faults != nil else { throw error }
                    faults?.append(MatchFault(labels: labels.removingMetadata(), message: error.message))
                    ambiguous.insert(place)
                    result.values[place] = .absent
                    continue
                }
                result.values[place] = value
            }
        }
        if !ambiguous.isEmpty { result.removeEmptyRows() }
        return result
    }

    /// For each row the first one with its labels; nil where no two are the same.
    private func sharedPlaces() -> [Int]? {
        if self.count <= MatchTable.tiny {
            let places = self.rows.indices.map { row in
                self.rows[..<row].firstIndex { $0.labels == self.rows[row].labels } ?? row
            }
            return places.elementsEqual(self.rows.indices) ? nil : places
        }
        var first: [Labels: Int] = [:]
        first.reserveCapacity(self.count)
        var isShared = false
        let places = self.rows.enumerated()
            .map { row, entry -> Int in
                if let known = first[entry.labels] {
                    isShared = true
                    return known
                }
                first[entry.labels] = row
                return row
            }
        return isShared ? places : nil
    }
}
