// poyang
// SPDX-License-Identifier: Apache-2.0

/// What makes a value of a channel suspect, in the metric's canonical unit; a test without parameters is not made.
package struct QualityParameters: Hashable, Sendable {
    /// How fast a value can change.
    package struct RateOfChange: Hashable, Sendable {
        /// The largest plausible change within ``span``; above 0.
        ///
        /// Over longer times proportionally more.
        package var limit: Double
        package var span: Milliseconds
        /// How long a value that is further away stays suspect, unless it comes back before.
        package var confirmation: Milliseconds

        package init(limit: Double, span: Milliseconds, confirmation: Milliseconds = .hour) {
            self.limit = limit
            self.span = span
            self.confirmation = confirmation
        }
    }

    /// How long a value can stand still.
    package struct FlatLine: Hashable, Sendable {
        package var duration: Milliseconds
        /// Largest and smallest value of that time differ by no more.
        package var tolerance: Double

        package init(duration: Milliseconds, tolerance: Double = 0) {
            self.duration = duration
            self.tolerance = tolerance
        }
    }

    /// Another site's series of the same metric and labels.
    package struct Neighbour: Hashable, Sendable {
        package var site: String
        /// What is added to the neighbour's value before it is compared.
        package var offset: Double

        package init(site: String, offset: Double = 0) {
            self.site = site
            self.offset = offset
        }
    }

    /// How far a value may be from the median of its neighbours.
    package struct Neighbours: Hashable, Sendable {
        package var others: [Neighbour]
        package var tolerance: Double
        /// How old a neighbour's value may be.
        package var age: Milliseconds

        package init(others: [Neighbour], tolerance: Double, age: Milliseconds) {
            self.others = others
            self.tolerance = tolerance
            self.age = age
        }
    }

    /// How many values in a row may be those of another site.
    package struct Identical: Hashable, Sendable {
        package var sites: [String]
        /// From so many moments in a row on at which both changed to the same value; zeros do not count.
        ///
        /// At least 3.
        package var changes: Int

        package init(sites: [String], changes: Int) {
            self.sites = sites
            self.changes = changes
        }
    }

    package var grossRange: ClosedRange<Double>?
    /// By month, January first, in local time (+08:00); nil where the month has none.
    ///
    /// Empty, or twelve.
    package var climatology: [ClosedRange<Double>?] = []
    package var rateOfChange: RateOfChange?
    /// By how much a value may stand out from both its neighbours in time; above 0.
    package var spike: Double?
    package var flatLine: FlatLine?
    package var gap: Milliseconds?
    package var neighbours: Neighbours?
    package var identical: Identical?

    package init() {}

    /// Whether there is a test to make.
    package var isEmpty: Bool { self == QualityParameters() }

    /// Takes one test's parameters, or their absence, from another.
    package mutating func take(_ test: QualityTest, from other: QualityParameters) {
        switch test {
        case .sender: break
        case .grossRange: self.grossRange = other.grossRange
        case .climatology: self.climatology = other.climatology
        case .rateOfChange: self.rateOfChange = other.rateOfChange
        case .spike: self.spike = other.spike
        case .flatLine: self.flatLine = other.flatLine
        case .gap: self.gap = other.gap
        case .neighbour: self.neighbours = other.neighbours
        case .identical: self.identical = other.identical
        }
    }
}

/// What a site says of a metric's tests: its own parameters in place of the model's.
package struct QualityOverride: Hashable, Sendable {
    /// Whether no value of the metric is tested at all.
    package var isOff = false
    /// The tests that the site speaks of; where ``parameters`` has none, they are not made there.
    package var tests: Set<QualityTest> = []
    package var parameters = QualityParameters()

    package init() {}

    /// A model's parameters as they count at the site; nil where nothing is tested.
    package func applied(to model: QualityParameters?) -> QualityParameters? {
        guard !self.isOff else { return nil }
        var parameters = model ?? QualityParameters()
        for test in self.tests { parameters.take(test, from: self.parameters) }
        // A model without parameters asks of its values that they are possible.
        return parameters.isEmpty && model?.isEmpty != true ? nil : parameters
    }
}
