// poyang
// SPDX-License-Identifier: Apache-2.0

import DeviceCatalog
import Telemetry
import TestSupport
import Testing

/// Values beside those of other series.
struct CrossSeriesTests {
    private static func column(_ values: [Double], minutes: [Int]? = nil) -> QualityColumn {
        QualityColumn(
            times: values.indices.map { Fixture.now + Milliseconds(minutes?[$0] ?? $0 * 5) * .minute },
            values: values
        )
    }

    private static func text(_ fails: [Bool]) -> String { fails.map { $0 ? "x" : "." }.joined() }

    @Test func aValueFarFromTheMedianOfItsNeighboursFails() {
        let parameters = QualityParameters.Neighbours(
            others: [.init(site: "a"), .init(site: "b", offset: 1), .init(site: "c")],
            tolerance: 0.5,
            age: 10 * .minute
        )
        let others = [Self.column([10, 10, 10, 10]), Self.column([9, 9, 9, 9]), Self.column([20, 10, 10, 10])]
        let own = Self.column([10.5, 12, 10, 9.4])
        #expect(Self.text(NeighbourTest.fails(own, others: others, parameters: parameters)) == ".x.x")
        // What is too old says nothing, and what comes later says nothing of now.
        let old = [Self.column([10], minutes: [-11]), Self.column([9], minutes: [20]), Self.column([])]
        #expect(Self.text(NeighbourTest.fails(own, others: old, parameters: parameters)) == "....")
    }

    @Test(arguments: [
        ([0, 1, 0, 2, 3, 0], [0, 1, 0, 2, 3, 0], 3, "xxxxxx"), ([0, 1, 0, 2, 3, 0], [0, 1, 0, 2, 4, 0], 3, "......"),
        // Dry days agree everywhere; a still value is one change.
        ([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], 3, "......"), ([5, 5, 5, 5, 6, 7], [5, 5, 5, 5, 6, 7], 3, "xxxxxx"),
        ([5, 5, 5, 5, 5, 6], [5, 5, 5, 5, 5, 6], 3, "......"),
        ([9, 1, 2, 3, 8, 4], [7, 1, 2, 3, 7, 4], 3, ".xxx.."),
    ])
    func copies(own: [Double], other: [Double], changes: Int, expected: String) {
        #expect(
            Self.text(IdenticalTest.fails(Self.column(own), other: Self.column(other), changes: changes)) == expected
        )
    }

    @Test func aMomentThatOneOfThemLacksEndsACopy() {
        let own = Self.column([1, 2, 3, 4], minutes: [0, 5, 10, 20])
        #expect(Self.text(IdenticalTest.fails(own, other: Self.column([1, 2, 3, 3.5, 4]), changes: 4)) == "....")
        #expect(Self.text(IdenticalTest.fails(own, other: Self.column([1, 2, 3, 3.5, 4]), changes: 3)) == "xxx.")
    }

    /// Seven basins of one year's rain; one that was copied is found from the store, as `qc run` and the service do.
    @Test func aCopiedYearIsFoundInTheStore() throws {
        var files: [String: String] = [:]
        let sites = ["gan", "fu", "xin"]
        for site in sites {
            let others = sites.filter { $0 != site }.joined(separator: ", ")
            files["sites/p/\(site).yaml"] = """
                site: \(site)
                name: \(site)
                kind: rain
                qc: { rainfall_millimeters: { gross_range: { max: 200 }, identical: { sites: [\(others)], changes: 10 } } }
                devices: [{ id: \(site)-1, model: generic/json, interval: 1d }]
                """
        }
        let catalog = try Fixture.catalog(files)
        var store = MemorySeriesReader()
        var generator = SeededGenerator(seed: 3)
        for day in 0..<366 {
            let rain = day % 3 == 0 ? Double(Int.random(in: 1...900, using: &generator)) / 10 : 0
            for site in sites {
                let own = site == "xin" && day % 3 == 0 ? rain + 0.1 : rain
                let value = site == "gan" && day == 139 ? 679.6431997 : own
                let labels = Labels(metric: "rainfall_millimeters", ["site": site])
                store.append(labels, at: Fixture.now + Milliseconds(day) * .day, value)
            }
        }
        let review = QualityReview(catalog: catalog, reader: store)
        func flags(_ site: String) throws -> String {
            let labels = Labels(metric: "rainfall_millimeters", ["site": site])
            let findings = try review.findings(of: labels, from: .distantPast, through: .distantFuture)
            return QualityStateTests.text(findings.map(\.mark))
        }
        let gan = try flags("gan")
        #expect(gan.count == 366 && gan.filter { $0 == "r" }.count == 1 && Array(gan)[139] == "r")
        #expect(gan.filter { $0 == "i" }.count == 365)
        #expect(try flags("fu").filter { $0 == "i" }.count == 365)
        // It rains there on the same days, but not the same.
        #expect(try flags("xin").allSatisfy { $0 == "." })
        // The same in any part of it that is looked at.
        let part = try review.findings(
            of: Labels(metric: "rainfall_millimeters", ["site": "fu"]),
            from: Fixture.now + 200 * .day,
            through: Fixture.now + 202 * .day
        )
        #expect(QualityStateTests.text(part.map(\.mark)) == "iii")
    }
}
