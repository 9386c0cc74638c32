// poyang
// SPDX-License-Identifier: Apache-2.0

import Crypto
import DeviceCatalog
import PayloadCodecs
import Telemetry

/// The way of one message into a batch: topic → device and codec → readings → series, and what is refused on the way.
struct MessagePath {
    /// Messages in several packets whose payloads are remembered: more than wait at a time.
    private static let awaitedMessages = 256
    /// Topics remembered; beyond that the memory begins anew.
    private static let cachedRoutes = 16_384

    private struct CachedRoute {
        var topic: String
        var route: TopicMap.Route
    }

    private var native: NativeJSONCodec
    private var sl651: SL651Codec
    private var hj212: HJ212Codec
    private var senML: SenMLCodec
    private var gateway: GatewayTelemetryCodec
    private var chirpStack: ChirpStackCodec
    private var thingsStack: ThingsStackCodec
    private var sparkplug: SparkplugCodec
    private var decoded = DecodedMessage()
    private var routes: [UInt64: CachedRoute] = [:]
    /// The payloads with packets of messages that were not whole then, by the codec's number of the message.
    private var packets: [Int: Set<QuarantinedName>] = [:]
    /// Where edge nodes are to be asked for their births; whoever asks them empties it.
    var rebirths: [String] = []
    /// Whether somebody watches devices, so that ``parts`` are noted.
    var notesParts = false
    /// What the last message holds of each device.
    private(set) var parts: [WatchedMessage.Part] = []
    /// Whether the last message's format speaks for several devices.
    private(set) var isShared = false

    init(payloadLimit: Int) {
        self.native = NativeJSONCodec(limit: payloadLimit)
        self.sl651 = SL651Codec(limit: payloadLimit)
        self.hj212 = HJ212Codec(limit: payloadLimit)
        self.senML = SenMLCodec(limit: payloadLimit)
        self.gateway = GatewayTelemetryCodec(limit: payloadLimit)
        self.chirpStack = ChirpStackCodec(limit: payloadLimit)
        self.thingsStack = ThingsStackCodec(limit: payloadLimit)
        self.sparkplug = SparkplugCodec(limit: payloadLimit)
    }

    /// Decodes and resolves one message; every value of it is in the batch afterwards, accepted or refused.
    mutating func take(
        topic: Span<UInt8>,
        topicHash: UInt64,
        payload: Span<UInt8>,
        isRetained: Bool,
        resolver: any ReadingResolver,
        into batch: inout ReadingBatch
    ) {
        var cached = self.route(topic, topicHash)
        self.parts.removeAll(keepingCapacity: true)
        self.isShared = cached.route.format == .gatewayTelemetry
        let before = batch.readings.count
        self.decode(payload, cached.route, isRetained: isRetained, resolver: resolver, receivedAt: batch.receivedAt)
        switch cached.route.format {
        case .sparkplug:
            self.findDevice(&cached.route, resolver: resolver)
            self.dropUnknownKeys(of: cached.route.device, resolver: resolver)
            if let rebirth = self.decoded.rebirth { self.rebirths.append(rebirth) }
        case .chirpStack, .thingsStack:
            self.findDevice(&cached.route, resolver: resolver)
            // None where all was refused.
            let ofNetwork = max(0, self.decoded.readings.count - self.decoded.frame.decodedByServer)
            self.decodeFrame(of: cached.route.device, resolver: resolver)
            self.nameAsModel(ofNetwork, of: cached.route.device, resolver: resolver)
            self.dropUnknownKeys(of: cached.route.device, resolver: resolver)
        case .sl651, .hj212:
            if !self.decoded.senders.isEmpty { self.refuseOthers(than: cached.route.device, resolver: resolver) }
        case .senML:
            let refusals = resolver.fit(&self.decoded.readings, to: self.decoded.units, of: cached.route.device)
            for refusal in refusals { self.decoded.refuse(refusal) }
        case .status: self.noteConnection(payload, of: cached.route.device, resolver: resolver, batch.receivedAt)
        case .nativeJSON, .gatewayTelemetry, .unspoken: break
        }
        if isRetained { self.refuseTimeless() }
        if self.isShared {
            self.resolveSenders(resolver: resolver, into: &batch)
        } else {
            let (device, count) = (cached.route.device, self.decoded.readings.count)
            self.resolve(0..<count, of: device, resolver: resolver, into: &batch)
            self.noteFirmware(
                self.decoded.firmware.indices,
                of: device,
                hasReadings: count > 0,
                resolver: resolver,
                receivedAt: batch.receivedAt
            )
            self.note(cached.route.device, batch.readings[before...], self.decoded.refusals)
        }
        if self.decoded.refusals.isEmpty {
            for message in self.decoded.completed { batch.settled += self.packets[message] ?? [] }
        } else {
            let refused = self.quarantine(payload, cached, receivedAt: batch.receivedAt)
            self.remember(self.decoded.awaiting, refused)
            batch.quarantined.append(refused)
        }
    }

    /// Remembers a payload of which nothing is refused once the messages are whole that its packets are of.
    ///
    /// Also beyond that: a batch that could not be committed comes again.
    private mutating func remember(_ messages: [Int], _ payload: QuarantinedPayload) {
        guard payload.isWaiting else { return }
        for message in messages {
            self.packets[message, default: []]
                .insert(QuarantinedName(device: payload.device, sha256: payload.sha256))
            if self.packets.count > Self.awaitedMessages { self.packets[self.packets.keys.min() ?? message] = nil }
        }
    }

    private mutating func decode(
        _ payload: Span<UInt8>,
        _ route: TopicMap.Route,
        isRetained: Bool,
        resolver: any ReadingResolver,
        receivedAt: Timestamp
    ) {
        switch route.format {
        case .nativeJSON:
            self.native.decode(payload, into: &self.decoded)
        case .sl651:
            self.sl651.now = receivedAt
            self.sl651.decode(payload, into: &self.decoded)
        case .hj212:
            self.hj212.dialect = resolver.hj212Dialect(of: route.device)
            self.hj212.decode(payload, into: &self.decoded)
        case .senML:
            // What was relative to the publication is unknown of a message that was kept for some time.
            self.senML.now = isRetained ? nil : receivedAt
            self.senML.decode(payload, into: &self.decoded)
        case .gatewayTelemetry:
            self.gateway.decode(payload, into: &self.decoded)
        case .chirpStack(let event):
            self.chirpStack.event = event
            self.chirpStack.decode(payload, into: &self.decoded)
        case .thingsStack:
            self.thingsStack.decode(payload, into: &self.decoded)
        case .sparkplug(let topic):
            self.sparkplug.topic = topic
            self.sparkplug.now = receivedAt
            self.sparkplug.decode(payload, into: &self.decoded)
        case .status:
            self.decoded.removeAll()
        case .unspoken(let advice):
            let codec = UnspokenFormat(advice: advice)
            codec.decode(payload, into: &self.decoded)
        }
    }

    private mutating func note(_ device: String, _ values: ArraySlice<ResolvedReading>, _ refusals: [Refusal]) {
        guard self.notesParts else { return }
        self.parts.append(WatchedMessage.Part(device: device, values: Array(values), refusals: refusals))
    }

    /// Resolves a run of the readings as one device's; what is refused of them is noted, and returned.
    @discardableResult
    private mutating func resolve(
        _ range: Range<Int>,
        of device: String,
        resolver: any ReadingResolver,
        into batch: inout ReadingBatch
    ) -> [Refusal] {
        guard !range.isEmpty else { return [] }
        let isAll = range.count == self.decoded.readings.count
        let refusals = resolver.resolve(
            device: device,
            readings: isAll ? self.decoded.readings : Array(self.decoded.readings[range]),
            receivedAt: batch.receivedAt,
            into: &batch.readings
        )
        for refusal in refusals { self.decoded.refuse(refusal) }
        return refusals
    }

    /// Hands on what a run of the message says of a device's firmware; who is not known was refused with the readings, if any.
    ///
    /// - Returns: What was refused, which is noted.
    @discardableResult
    private mutating func noteFirmware(
        _ range: Range<Int>,
        of device: String,
        hasReadings: Bool,
        resolver: any ReadingResolver,
        receivedAt: Timestamp
    ) -> [Refusal] {
        for index in range {
            let refusal = resolver.note(self.decoded.firmware[index].report, of: device, receivedAt: receivedAt)
            guard let refusal, !hasReadings else { continue }
            self.decoded.refuse(refusal)
            return [refusal]
        }
        return []
    }

    /// Takes notice of the words `online` and `offline`; anything else is refused.
    private mutating func noteConnection(
        _ payload: Span<UInt8>,
        of device: String,
        resolver: any ReadingResolver,
        _ receivedAt: Timestamp
    ) {
        let shown = String(decoding: payload.indices.prefix(40).map { payload[$0] }, as: UTF8.self)
        guard let state = DeviceConnection.State(rawValue: shown) else {
            let detail =
                "the status is \"\(shown)\"; it is the word online or offline, retained, and offline the Last Will"
            self.decoded.refuseWhole(.malformed, detail)
            return
        }
        if let refusal = resolver.note(state, of: device, receivedAt: receivedAt) { self.decoded.refuse(refusal) }
    }

    /// A gateway speaks for many devices, which it calls by names of its own.
    private mutating func resolveSenders(resolver: any ReadingResolver, into batch: inout ReadingBatch) {
        let senders = self.decoded.senders
        // What is said of firmware is in the order of the senders, too.
        var nextFirmware = 0
        for (index, sender) in senders.enumerated() {
            let end = index + 1 < senders.count ? senders[index + 1].firstReading : self.decoded.readings.count
            let firstFirmware = nextFirmware
            while nextFirmware < self.decoded.firmware.count, self.decoded.firmware[nextFirmware].sender == index {
                nextFirmware += 1
            }
            guard case .device(let name) = sender.name else { continue }
            let device: String
            switch resolver.device(called: name) {
            case .known(let id): device = id
            case .unknown: device = name
            case .contested(var refusal):
                refusal.values = end - sender.firstReading
                if refusal.values > 0 { self.decoded.refuse(refusal) }
                continue
            }
            let before = batch.readings.count
            let run = sender.firstReading..<end
            let refusals =
                self.resolve(run, of: device, resolver: resolver, into: &batch)
                + self.noteFirmware(
                    firstFirmware..<nextFirmware,
                    of: device,
                    hasReadings: !run.isEmpty,
                    resolver: resolver,
                    receivedAt: batch.receivedAt
                )
            self.note(device, batch.readings[before...], refusals)
        }
    }

    /// Whose uplink it is: found by the DevEUI, else by the name that the network server uses.
    private mutating func findDevice(_ route: inout TopicMap.Route, resolver: any ReadingResolver) {
        if let refusal = self.topicOfAnother(route) {
            self.refuseAll(refusal)
            return
        }
        var found = NamedDevice.unknown
        for sender in self.decoded.senders {
            switch sender.name {
            case .address(let eui): found = resolver.device(address: eui).map { .known($0) } ?? .unknown
            case .device(let name): found = resolver.device(called: name)
            }
        }
        if found == .unknown { found = resolver.device(called: route.device) }
        switch found {
        case .known(let id): route.device = id
        case .unknown: break
        case .contested(let refusal):
            // Nobody's, so that no org is shown in quarantine what may be another's.
            route.device = ""
            self.refuseAll(refusal)
        }
    }

    /// Why an event of ChirpStack whose topic names another DevEUI than its payload is nobody's: brokers grant rights by
    /// topic, and who may publish for one device must not speak for another.
    private func topicOfAnother(_ route: TopicMap.Route) -> Refusal? {
        guard case .chirpStack = route.format, case .address(let eui)? = self.decoded.senders.first?.name,
            eui.filter(\.isHexDigit).uppercased() != route.device.filter(\.isHexDigit).uppercased()
        else { return nil }
        return Refusal(
            reason: .wrongAddress,
            detail: "the event is of the DevEUI \(eui.prefix(80)), its topic of \(route.device.prefix(80))"
        )
    }

    private mutating func refuseAll(_ refusal: Refusal) {
        guard !self.decoded.readings.isEmpty || !self.decoded.firmware.isEmpty || self.decoded.frame.isPresent else {
            return
        }
        var refusal = refusal
        self.decoded.firmware.removeAll(keepingCapacity: true)
        refusal.values = max(self.decoded.readings.count, 1)
        self.decoded.readings.removeAll(keepingCapacity: true)
        self.decoded.frame.isPresent = false
        self.decoded.refuse(refusal)
    }

    /// Where the model says how to read the device's bytes, they go before what the network server made of them.
    private mutating func decodeFrame(of device: String, resolver: any ReadingResolver) {
        guard self.decoded.frame.isPresent, let layout = resolver.payloadLayout(of: device) else { return }
        self.decoded.readings.removeFirst(self.decoded.frame.decodedByServer)
        self.decoded.frame.decodedByServer = 0
        let bytes = self.decoded.frame.bytes
        let (port, time) = (self.decoded.frame.port, self.decoded.frame.time)
        LayoutDecoder.decode(layout, bytes.span, port: port, time: time, into: &self.decoded)
    }

    /// Gives what the network knows, `count` readings behind those of its decoder, the keys of the model.
    ///
    /// They have names of metrics; where the model has such a metric under a key of its own, that key is meant, unless the
    /// device says it itself.
    private mutating func nameAsModel(_ count: Int, of device: String, resolver: any ReadingResolver) {
        for index in self.decoded.readings.indices.dropFirst(self.decoded.frame.decodedByServer).prefix(count) {
            let metric = self.decoded.readings[index].key
            guard !resolver.takes(metric, of: device), let key = resolver.key(ofMetric: metric, of: device),
                !self.decoded.readings.contains(where: { $0.key == key })
            else { continue }
            self.decoded.readings[index].key = key
        }
    }

    /// Decoders of network servers give much that is no measurement: what the model does not know is left out, unless it
    /// knows nothing of it; then all of it is refused, with the keys that are known.
    private mutating func dropUnknownKeys(of device: String, resolver: any ReadingResolver) {
        guard self.decoded.isOfNetworkServer else { return }
        let ofDevice = self.decoded.readings.prefix(self.decoded.frame.decodedByServer)
        let isStrange = !ofDevice.isEmpty && !ofDevice.contains { resolver.takes($0.key, of: device) }
        let kept = isStrange ? self.decoded.frame.decodedByServer : 0
        let rest = self.decoded.readings[kept...].filter { resolver.takes($0.key, of: device) }
        self.decoded.readings.replaceSubrange(kept..., with: rest)
    }

    /// A frame may hold values of another device than the topic's: they are refused, so that nobody writes for others.
    private mutating func refuseOthers(than device: String, resolver: any ReadingResolver) {
        for index in self.decoded.senders.indices.reversed() {
            let sender = self.decoded.senders[index]
            guard case .address(let address) = sender.name,
                var refusal = resolver.mismatch(of: address, with: device)
            else { continue }
            let end =
                index + 1 < self.decoded.senders.count
                ? self.decoded.senders[index + 1].firstReading : self.decoded.readings.count
            // A frame without values is refused as a whole.
            refusal.values = max(end - sender.firstReading, 1)
            guard end > sender.firstReading || self.decoded.readings.isEmpty else { continue }
            self.decoded.readings.removeSubrange(sender.firstReading..<end)
            let count = end - sender.firstReading
            for later in self.decoded.senders.indices where later > index {
                self.decoded.senders[later].firstReading -= count
            }
            self.decoded.refuse(refusal)
        }
    }

    /// A retained message was published at some time before; without a time of its own it is no reading.
    private mutating func refuseTimeless() {
        let count = self.decoded.readings.count + self.decoded.firmware.count
        var (next, kept) = (0, 0)
        for sender in self.decoded.senders.indices {
            let first = self.decoded.senders[sender].firstReading
            kept += self.decoded.readings[next..<first].count { $0.time != nil }
            next = first
            self.decoded.senders[sender].firstReading = kept
        }
        self.decoded.readings.removeAll { $0.time == nil }
        self.decoded.firmware.removeAll { $0.report.time == nil }
        let refused = count - self.decoded.readings.count - self.decoded.firmware.count
        guard refused > 0 else { return }
        self.decoded.refuse(
            Refusal(
                reason: .timeInvalid,
                detail: "a retained message without ts: nobody knows when it was measured; publish readings with the "
                    + "retain flag off, or with ts",
                values: refused
            )
        )
    }

    private func quarantine(
        _ payload: Span<UInt8>,
        _ cached: CachedRoute,
        receivedAt: Timestamp
    ) -> QuarantinedPayload {
        var digest = SHA256()
        unsafe payload.bytes.withUnsafeBytes { unsafe digest.update(bufferPointer: $0) }
        let kept = min(payload.count, QuarantinedPayload.keptBytes)
        var copy: [UInt8] = []
        copy.reserveCapacity(kept)
        for index in 0..<kept { copy.append(payload[index]) }
        return QuarantinedPayload(
            topic: cached.topic,
            device: cached.route.device,
            receivedAt: receivedAt,
            payload: copy,
            length: payload.count,
            sha256: digest.finalize().hexadecimal(),
            refusals: self.decoded.refusals
        )
    }

    private mutating func route(_ topic: Span<UInt8>, _ hash: UInt64) -> CachedRoute {
        if let cached = self.routes[hash], isSame(cached.topic, topic) { return cached }
        var bytes: [UInt8] = []
        for index in topic.indices { bytes.append(topic[index]) }
        let text = String(decoding: bytes, as: UTF8.self)
        let cached = CachedRoute(topic: text, route: TopicMap.route(text))
        if self.routes.count >= Self.cachedRoutes { self.routes.removeAll() }
        self.routes[hash] = cached
        return cached
    }
}

private func isSame(_ text: String, _ bytes: Span<UInt8>) -> Bool {
    let known = text.utf8Span.span
    guard known.count == bytes.count else { return false }
    for index in known.indices where known[index] != bytes[index] { return false }
    return true
}
