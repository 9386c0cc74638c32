// poyang
// SPDX-License-Identifier: Apache-2.0

import MQTTIngest
import NIOCore
import PayloadCodecs
import Telemetry

/// What all connections of the gateway share: stations, what waits for the broker, what is still to be asked.
///
/// On the gateway's event loop only. A message goes to the broker first; only when the broker has acknowledged it is it
/// confirmed to its station.
final class SL651Core {
    /// A message, and who waits for its confirmation.
    struct Pending {
        var station: UInt64
        var key: KnownMessages.Key
        var whole: PacketAssembly.Whole
        var waiting: [StationLink]
        /// Half a message, or a damaged one: kept, but not confirmed.
        var isConfirmed: Bool
    }

    /// Stations without a device that are remembered.
    private static let strangersKnown = 1000
    /// Messages of stations that may have been registered just now.
    private static let strangersWaiting = 256

    let options: GatewayOptions
    let loop: any EventLoop
    let now: @Sendable () -> Timestamp
    let report: @Sendable (GatewayEvent) -> Void
    let publisher: MQTTPublisher
    /// Asks for the registered devices anew.
    let wantStations: @Sendable () -> Void

    var metrics = GatewayMetrics()
    var stations: [UInt64: StationState] = [:]
    var pending: [Int: Pending] = [:]
    var codec = SL651Codec()
    var isStopping = false
    /// Nil until somebody has said who is registered; until then nothing is taken.
    private(set) var directory: StationDirectory?
    private var links: [ObjectIdentifier: StationLink] = [:]
    private var assembly = PacketAssembly()
    private var remembered: [UInt64: ObservationLog]
    private var pendingBytes = 0
    private var nextPending = 0
    private var strangers: [(whole: PacketAssembly.Whole, link: StationLink)] = []
    private var isBrokerAway = false
    private var isDeferring = false

    init(
        options: GatewayOptions,
        loop: any EventLoop,
        publisher: MQTTPublisher,
        remembered: [UInt64: ObservationLog],
        now: @escaping @Sendable () -> Timestamp,
        wantStations: @escaping @Sendable () -> Void,
        report: @escaping @Sendable (GatewayEvent) -> Void
    ) {
        self.options = options
        self.loop = loop
        self.publisher = publisher
        self.remembered = remembered
        self.now = now
        self.wantStations = wantStations
        self.report = report
    }

    // MARK: Connections

    /// Whether there is room for one more.
    func admit(_ link: StationLink) -> Bool {
        self.metrics.connections += 1
        guard self.links.count < self.options.connections, !self.isStopping else { return false }
        self.links[ObjectIdentifier(link)] = link
        self.report(.opened(peer: link.peer))
        return true
    }

    func leave(_ link: StationLink) {
        self.links[ObjectIdentifier(link)] = nil
    }

    func noteClosed(_ link: StationLink, _ reason: CloseReason) {
        self.metrics.closed[reason, default: 0] += 1
        self.report(.closed(peer: link.peer, reason: reason))
    }

    func closeAll() {
        for link in self.links.values { link.close(.stopping) }
    }

    // MARK: Stations

    func know(_ stations: [GatewayStation]) {
        let directory = StationDirectory(stations)
        if self.directory?.count != directory.count { self.report(.stationsKnown(directory.count)) }
        self.directory = directory
        for state in self.stations.values { state.update(directory[state.address]) }
        let strangers = self.strangers
        self.strangers = []
        for (whole, link) in strangers where link.isOpen {
            if let station = self.station(whole.frame.station) { self.message(whole, of: station, from: link) }
        }
    }

    /// Nobody could say who is registered: strangers are left with their messages.
    ///
    /// - Returns: Whether it was known before.
    func stationsUnreachable() -> Bool {
        self.metrics.deferred += self.strangers.count
        self.strangers = []
        return self.directory != nil
    }

    /// What is known of a station; nil where too many strangers have spoken.
    private func station(_ address: UInt64) -> StationState? {
        if let state = self.stations[address] { return state }
        let station = self.directory?[address]
        guard station != nil || self.stations.values.count(where: { !$0.isKnown }) < Self.strangersKnown else {
            return nil
        }
        let state = StationState(
            address: address,
            station: station,
            log: self.remembered.removeValue(forKey: address)
        )
        self.stations[address] = state
        if station == nil { self.report(.unknownStation(address: SL651Frame.text(ofAddress: address))) }
        return state
    }

    /// What is to be kept over a restart.
    var memory: [UInt64: ObservationLog] {
        self.remembered.merging(self.stations.filter { $0.value.isKnown }.mapValues(\.log)) { $1 }
    }

    // MARK: What comes in

    func take(_ frame: SL651Frame, _ bytes: [UInt8], from link: StationLink) {
        self.metrics.frames += 1
        // An echo of our own.
        guard !frame.isDown, !self.isStopping else { return }
        guard self.directory != nil else {
            self.metrics.deferred += 1
            return
        }
        guard let packet = frame.packet, packet.total > 1 else {
            self.whole(PacketAssembly.Whole(payload: bytes, frame: frame, head: frame.head(in: bytes.span)), from: link)
            return
        }
        self.outcome(self.assembly.take(frame, bytes, at: self.now()), from: link)
    }

    /// What became of a message in packets.
    private func outcome(_ outcome: PacketAssembly.Outcome, from link: StationLink) {
        switch outcome {
        case .waits: break
        case .complete(let whole): self.whole(whole, from: link)
        case .tooLarge: link.close(.oversized)
        case .isMissing(let packet, let frame, let head):
            self.metrics.askedAgain += 1
            let device = self.stations[frame.station]?.device ?? SL651Frame.text(ofAddress: frame.station)
            self.report(.packetMissing(device: device, packet: packet, total: frame.packet?.total ?? packet))
            let downlink = SL651Downlink(answering: frame)
            link.send(downlink.sendAgain(packet: packet, of: frame, serial: head?.serial ?? 0, at: self.now()))
        case .givenUp(let whole, let missing):
            guard let station = self.station(whole.frame.station) else { return }
            let total = whole.frame.packet?.total ?? missing
            self.report(.givenUp(device: station.device, missing: missing, total: total))
            self.publish(whole, of: station, key: self.key(of: whole), from: link, isConfirmed: false)
        }
    }

    private func whole(_ whole: PacketAssembly.Whole, from link: StationLink) {
        let address = whole.frame.station
        guard self.stations[address]?.isKnown != true, self.directory?[address] == nil, whole.frame.function != 0x2F,
            self.strangers.count < Self.strangersWaiting
        else {
            if let station = self.station(address) { self.message(whole, of: station, from: link) }
            return
        }
        // It may have been registered a moment ago.
        self.strangers.append((whole, link))
        self.wantStations()
    }

    private func message(_ whole: PacketAssembly.Whole, of station: StationState, from link: StationLink) {
        let now = self.now()
        if station.link !== link {
            let address = SL651Frame.text(ofAddress: station.address)
            self.report(.stationHeard(device: station.device, address: address, peer: link.peer))
        }
        station.link = link
        station.newestFrame = whole.frame
        station.heardAt = now
        if SL651Function.isReport(whole.frame.function), let sent = whole.head?.sent { station.drift = now - sent }
        // A sign of life says nothing else and has no answer.
        guard whole.frame.function != 0x2F else { return }
        if whole.frame.function == 0x4A, self.clockAnswered(station) { return }
        let key = self.key(of: whole)
        switch station.known.state(of: key) {
        case .acknowledged:
            self.metrics.repeated += 1
            self.answer(whole, of: station, to: link)
        case .pending:
            self.metrics.repeated += 1
            guard
                let id = self.pending.first(where: { $0.value.station == station.address && $0.value.key == key })?.key
            else { return }
            link.expectAnswer()
            self.pending[id]?.waiting.append(link)
        case .new:
            self.publish(whole, of: station, key: key, from: link, isConfirmed: true)
        }
    }

    private func key(of whole: PacketAssembly.Whole) -> KnownMessages.Key {
        let isPacket = (whole.frame.packet?.total ?? 1) > 1
        return KnownMessages.Key(
            function: whole.frame.function,
            head: whole.head,
            content: isPacket ? whole.payload : Array(whole.payload[whole.frame.body])
        )
    }

    /// A frame whose check is wrong goes into quarantine under its device, where that is known; nobody confirms it.
    func takeDamaged(_ bytes: [UInt8], station address: UInt64?, reason: String, from link: StationLink) {
        self.metrics.damaged += 1
        self.report(.damaged(peer: link.peer, reason: reason))
        guard let address, self.directory?[address] != nil, let station = self.station(address),
            self.publisher.totals.isConnected, self.pending.count < self.options.messagesInFlight
        else { return }
        self.send(bytes, of: station.device) { _, _ in }
    }

    // MARK: To the broker

    private func publish(
        _ whole: PacketAssembly.Whole,
        of station: StationState,
        key: KnownMessages.Key,
        from link: StationLink,
        isConfirmed: Bool
    ) {
        guard self.pending.count < self.options.messagesInFlight,
            self.pendingBytes + whole.payload.count <= self.options.bytesInFlight
        else {
            self.metrics.deferred += 1
            if !self.isDeferring { self.report(.deferred) }
            self.isDeferring = true
            return
        }
        station.known.begin(key)
        station.waiting += 1
        self.pendingBytes += whole.payload.count
        link.expectAnswer()
        let id = self.nextPending
        self.nextPending += 1
        self.pending[id] = Pending(
            station: station.address,
            key: key,
            whole: whole,
            waiting: [link],
            isConfirmed: isConfirmed
        )
        self.send(whole.payload, of: station.device) { core, result in core.settled(id, result) }
    }

    private func send(
        _ payload: [UInt8],
        of device: String,
        done: @escaping @Sendable (SL651Core, Result<Void, MQTTError>) -> Void
    ) {
        let me = NIOLoopBound(self, eventLoop: self.loop)
        let loop = self.loop
        do {
            try self.publisher.publish(topic: "poyang/v1/devices/\(device)/sl651", payload: payload) { result in
                loop.execute { done(me.value, result) }
            }
        } catch {
            let stopped = MQTTError(.stopped, "\(error)")
            loop.execute { done(me.value, .failure(stopped)) }
        }
    }

    /// The broker has acknowledged a message, or will not.
    private func settled(_ id: Int, _ result: Result<Void, MQTTError>) {
        guard let message = self.pending.removeValue(forKey: id) else { return }
        self.pendingBytes -= message.whole.payload.count
        self.isDeferring = false
        defer { for link in message.waiting { link.settleAnswer() } }
        guard let station = self.stations[message.station] else { return }
        station.waiting -= 1
        switch result {
        case .failure(let error):
            station.known.forget(message.key)
            guard error.code != .stopped else { return }
            self.metrics.refused += 1
            self.report(.refused(device: station.device, reason: error.message))
        case .success:
            self.metrics.forwarded += 1
            guard message.isConfirmed else {
                station.known.forget(message.key)
                return
            }
            station.known.acknowledge(message.key)
            let observations = self.note(message.whole, of: station)
            let isAnswer = self.answered(message.whole, of: station, observations)
            for link in message.waiting { self.answer(message.whole, of: station, to: link) }
            if isAnswer { self.proceed(with: station) }
        }
    }

    // MARK: Time

    /// Once a second: what is overdue, and whether the broker is there.
    func tick() {
        let totals = self.publisher.totals
        if totals.isConnected == self.isBrokerAway {
            self.isBrokerAway = !totals.isConnected
            self.report(totals.isConnected ? .brokerBack : .brokerAway(reason: totals.lastError ?? "no connection yet"))
        }
        guard !self.isStopping else { return }
        let now = self.now()
        for station in self.stations.values {
            guard let link = station.link, link.isOpen else {
                station.isHeld = false
                continue
            }
            for outcome in self.assembly.overdue(station: station.address, at: now) {
                self.outcome(outcome, from: link)
            }
            self.proceed(with: station)
        }
        // What was never registered is forgotten with its connection.
        for (address, station) in self.stations where !station.isKnown && station.link?.isOpen != true {
            self.stations[address] = nil
        }
    }
}
