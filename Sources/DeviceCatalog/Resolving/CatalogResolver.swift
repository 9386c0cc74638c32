// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import Telemetry

/// What is accepted besides what the catalogue says.
package struct IngestPolicy: Hashable, Sendable {
    /// `serve --exercise`: simulated readings are taken from every device, not from test devices alone.
    package var acceptsSimulated: Bool
    /// How far a reading may be ahead of the receive time.
    package var skew: Milliseconds
    /// While our own clock looks wrong nothing is refused for being in the future.
    package var isOwnClockSuspect: Bool

    package init(acceptsSimulated: Bool = false, skew: Milliseconds = 10 * .minute, isOwnClockSuspect: Bool = false) {
        self.acceptsSimulated = acceptsSimulated
        self.skew = skew
        self.isOwnClockSuspect = isOwnClockSuspect
    }
}

/// Finds the series of decoded readings; the snapshot and the policy can be exchanged while it works.
package final class CatalogResolver: Sendable {
    private struct State {
        var catalog: Catalog
        var policy: IngestPolicy
        var maintenance = MaintenanceWindows.none
    }

    /// 2000-01-01T00:00:00Z: no reading is older; a clock that says so was never set.
    package static let earliestTime = Timestamp(milliseconds: 946_684_800_000)

    /// 9999-12-31T23:59:59.999Z, the last moment that RFC 3339 can write.
    package static let latestTime = Timestamp(milliseconds: 253_402_300_799_999)

    private let state: Mutex<State>
    private let rain: RainCounters
    private let history: (any SeriesReader)?
    /// What devices, and others of them, said of their firmware and their connections.
    package let board: DeviceBoard
    /// When the batch under way was received, and how many there have been.
    private let batch = Mutex((receivedAt: Timestamp.distantPast, number: UInt32(0)))

    /// `history` is the store, in which the last readings of each series are found after a start; `board` has what was said
    /// before it.
    package init(
        catalog: Catalog,
        policy: IngestPolicy = IngestPolicy(),
        history: (any SeriesReader)? = nil,
        board: DeviceBoard = DeviceBoard()
    ) {
        self.state = Mutex(State(catalog: catalog, policy: policy))
        self.rain = RainCounters(history: history)
        self.history = history
        self.board = board
        board.forget { catalog.plans[$0] != nil }
    }

    /// The snapshot in use.
    package var catalog: Catalog { self.state.withLock { $0.catalog } }
    package var policy: IngestPolicy { self.state.withLock { $0.policy } }

    /// When work is done on devices: readings of such a time are stored with quality 9.
    package var maintenance: MaintenanceWindows { self.state.withLock { $0.maintenance } }

    /// Takes effect with the next message.
    package func replace(maintenance: MaintenanceWindows) {
        self.state.withLock { $0.maintenance = maintenance }
    }

    /// Takes effect with the next message.
    ///
    /// What devices that are retired said of themselves is forgotten.
    package func replace(catalog: Catalog) {
        self.state.withLock { state in
            state.catalog = catalog
            self.board.forget { catalog.plans[$0] != nil }
        }
    }

    /// Takes notice of what was said of a device's firmware.
    ///
    /// - Returns: Why it was not: the device is not registered.
    package func note(_ report: FirmwareReport, of device: String, receivedAt: Timestamp) -> Refusal? {
        // Not between the retiring of the device and its being forgotten.
        self.state.withLock { state in
            guard state.catalog.plans[device] != nil else { return .unknownDevice(device, values: 1) }
            self.board.note(report, of: device, receivedAt: receivedAt)
            return nil
        }
    }

    /// Takes notice of what a device said of its connection.
    ///
    /// - Returns: Why it was not: the device is not registered.
    package func note(_ connection: DeviceConnection.State, of device: String, receivedAt: Timestamp) -> Refusal? {
        self.state.withLock { state in
            guard state.catalog.plans[device] != nil else { return .unknownDevice(device, values: 1) }
            self.board.note(connection, of: device, receivedAt: receivedAt)
            return nil
        }
    }

    /// Takes effect with the next message.
    package func replace(policy: IngestPolicy) {
        self.state.withLock { $0.policy = policy }
    }

    /// Why a payload that names `address` as its sender's is not the device's; nil where it may be.
    ///
    /// A device without a registered address may have any that is not another's.
    package func mismatch(of address: String, with device: String) -> Refusal? {
        let catalog = self.state.withLock { $0.catalog }
        guard let plan = catalog.plans[device], !plan.addresses.contains(address) else { return nil }
        let owner = catalog.device(address: address)?.id
        guard owner != device, owner != nil || !plan.addresses.isEmpty else { return nil }
        return .wrongAddress(address, of: plan, owner: owner)
    }

    /// How a device's packets of HJ 212 are to be read; as the standard says where it is not registered.
    package func hj212Dialect(of device: String) -> HJ212Dialect {
        self.state.withLock { $0.catalog.plans[device]?.hj212 } ?? HJ212Dialect()
    }

    /// Resolves the readings of one message; accepted ones are appended to `resolved`, and behind the reading of a rain
    /// counter the depths that follow from it.
    ///
    /// Each has the flag of its tests; where it changes that of another value, the revision follows it.
    ///
    /// - Returns: Why values were not added; the values resolved and refused together are the readings given.
    package func resolve(
        device: String,
        readings: [Reading],
        receivedAt: Timestamp,
        into resolved: inout [ResolvedReading]
    ) -> [Refusal] {
        let (catalog, policy, maintenance) = self.state.withLock { ($0.catalog, $0.policy, $0.maintenance) }
        guard let plan = catalog.plans[device] else {
            guard !readings.isEmpty else { return [] }
            return [.unknownDevice(device, values: readings.count)]
        }
        var refusals: [Refusal] = []
        let latest = policy.isOwnClockSuspect ? Timestamp.distantFuture : receivedAt + policy.skew
        let takesSimulated = policy.acceptsSimulated || plan.device.isTest
        let work = maintenance.isEmpty ? [] : maintenance.spans(of: device)
        var newestOwn = Timestamp.distantPast
        let batch = self.batchNumber(receivedAt)
        var revisions: [ResolvedReading] = []
        for reading in plan.depthsFirst(readings) {
            if let own = reading.time, own > newestOwn, !reading.isSimulated { newestOwn = own }
            let time = reading.time ?? receivedAt
            guard let channel = plan.channel(reading.key) else {
                refusals.append(.unknownChannel(reading, of: plan))
                continue
            }
            guard reading.value.isFinite else {
                refusals.append(.notANumber(reading))
                continue
            }
            guard reading.value >= channel.minimum, reading.value <= channel.maximum else {
                refusals.append(.outOfRange(reading, channel))
                continue
            }
            guard time >= CatalogResolver.earliestTime else {
                refusals.append(.timeInvalid(reading, time))
                continue
            }
            guard time <= latest else {
                refusals.append(.timeFuture(reading, time, receivedAt: receivedAt, skew: policy.skew))
                continue
            }
            guard takesSimulated || !reading.isSimulated else {
                refusals.append(.simulated(reading, device: device))
                continue
            }
            let isOfWork = work.contains { $0.touches(time, standingFor: channel.standsFor) }
            let mark = SampleMark(
                quality: isOfWork ? .missing : reading.quality ?? .notEvaluated,
                method: reading.method,
                simulated: reading.isSimulated
            )
            var value = ResolvedReading(
                series: channel.series,
                sample: Sample(time: time, value: channel.canonical(reading.value, at: time), mark: mark),
                hasOwnTime: reading.time != nil
            )
            // The depths of a counter that is doubted are, too.
            channel.quality?.examine(&value, batch, self.history, &revisions)
            var depths = channel.rain.map { self.rain.depths(of: &value, counter: $0, work: work) } ?? []
            // What the counter showed is remembered all the same, for when it is the only source again.
            if let first = depths.first, catalog.isReported(depths: first.series.labels) { depths = [] }
            if channel.contestsCounters { catalog.keys.noteReported(channel.series.labels) }
            resolved.append(value)
            if let tests = channel.rain?.quality {
                for index in depths.indices { tests.examine(&depths[index], batch, self.history, &revisions) }
            }
            resolved += depths
            if !revisions.isEmpty {
                resolved += revisions
                revisions.removeAll(keepingCapacity: true)
            }
        }
        if newestOwn > .distantPast, !policy.isOwnClockSuspect { plan.noteClock(newestOwn, receivedAt: receivedAt) }
        return refusals
    }

    /// Puts readings whose series is known already to its tests, as if a device had sent them; what is no number stays as it is.
    ///
    /// The revisions of other values that follow are added at the end.
    package func test(_ readings: inout [ResolvedReading], receivedAt: Timestamp) {
        let catalog = self.catalog
        let batch = self.batchNumber(receivedAt)
        var revisions: [ResolvedReading] = []
        var known: (series: SeriesKey, tests: SeriesTests?)?
        for index in readings.indices where readings[index].sample.value.isFinite {
            let series = readings[index].series
            if known?.series !== series { known = (series, catalog.tests(of: series.labels)) }
            known?.tests?.examine(&readings[index], batch, self.history, &revisions)
        }
        readings += revisions
    }

    /// Takes back what the tests remember of readings that could not be committed.
    package func forget(_ readings: [ResolvedReading]) {
        let catalog = self.catalog
        for (series, readings) in Dictionary(grouping: readings, by: { $0.series.labels }) {
            catalog.tests(of: series)?.track.forget(Set(readings.map(\.sample.time)))
        }
    }

    private func batchNumber(_ receivedAt: Timestamp) -> UInt32 {
        self.batch.withLock { batch in
            if batch.receivedAt != receivedAt {
                batch.receivedAt = receivedAt
                batch.number &+= 1
            }
            return batch.number
        }
    }
}
