// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import Telemetry

/// What is said to stations: confirmations, questions about hours that are missing (38), the clock (4A).
extension SL651Core {
    /// How long a clock that was set, or could not be, is left alone.
    private static let clockRest: Milliseconds = 10 * .minute
    /// A clock that is off by more than this is set twice (6.6.4.24).
    private static let farOff: Milliseconds = 5 * .minute
    /// How often a question is put (6.3.2.3).
    private static let attempts = 3

    // MARK: Confirmations

    /// Confirms a message; answers to questions (M4) are confirmed only where they came in packets (M3).
    func answer(_ whole: PacketAssembly.Whole, of station: StationState, to link: StationLink) {
        guard link.isOpen else { return }
        let isInPackets = (whole.frame.packet?.total ?? 1) > 1
        guard SL651Function.isReport(whole.frame.function) || isInPackets else { return }
        let now = self.now()
        let isWanted = self.hasBusiness(with: station, at: now)
        let serial = whole.head?.serial ?? 0
        link.send(
            SL651Downlink(answering: whole.frame)
                .confirm(whole.frame, serial: serial, at: now, staysOnLine: isWanted || self.options.keepsOnline)
        )
        self.metrics.confirmed += 1
        guard link === station.link else { return }
        station.isHeld = isWanted
        station.held = isWanted ? (whole.frame, serial) : nil
    }

    // MARK: Gaps

    /// Notes when the elements of a message were observed.
    ///
    /// - Returns: The observations, by element.
    func note(_ whole: PacketAssembly.Whole, of station: StationState) -> [String: [Timestamp]] {
        var message = DecodedMessage()
        self.codec.now = self.now()
        self.codec.decode(whole.payload.span, into: &message)
        let own = SL651Frame.text(ofAddress: station.address)
        var observations: [String: [Timestamp]] = [:]
        for (index, sender) in message.senders.enumerated() where sender.name == .address(own) {
            let end =
                index + 1 < message.senders.count ? message.senders[index + 1].firstReading : message.readings.count
            for reading in message.readings[sender.firstReading..<end] {
                guard let time = reading.time, !reading.isSimulated, reading.method == .measured else { continue }
                guard SL651Function.isAskedFor(reading.key) else { continue }
                observations[reading.key, default: []].append(time)
            }
        }
        guard self.options.backfill > 0, station.isKnown else { return observations }
        let latest = self.now() + 10 * .minute
        let gaps = station.log.note(
            // A clock that is ahead is no news of the future.
            observations.mapValues { $0.filter { $0 <= latest } },
            interval: station.interval,
            reach: self.options.backfill,
            isAnswer: whole.frame.function == 0x38
        )
        for gap in gaps {
            self.report(.gap(device: station.device, symbol: gap.symbol, from: gap.after, to: gap.before))
        }
        return observations
    }

    /// Takes a message that answers what was asked.
    ///
    /// - Returns: Whether it does.
    func answered(
        _ whole: PacketAssembly.Whole,
        of station: StationState,
        _ observations: [String: [Timestamp]]
    ) -> Bool {
        guard whole.frame.function == 0x38, let open = station.open, case .period(let question) = open.subject,
            observations.isEmpty || observations[question.symbol] != nil
        else { return false }
        station.open = nil
        station.log.answered(question)
        self.metrics.answered += 1
        self.report(
            .filled(device: station.device, symbol: question.symbol, values: observations[question.symbol]?.count ?? 0)
        )
        station.heardAt = self.now() - self.options.pause
        return true
    }

    // MARK: Clock

    /// A station says that it has set its clock; whether it was asked to.
    func clockAnswered(_ station: StationState) -> Bool {
        guard let open = station.open, case .clock(let left) = open.subject else { return false }
        station.open = nil
        station.heardAt = self.now() - self.options.pause
        guard left <= 1 else {
            self.ask(station, .clock(left: left - 1), attempt: 1)
            return true
        }
        station.drift = 0
        station.clockSetAt = self.now()
        self.metrics.clocksSet += 1
        self.report(.clockSet(device: station.device))
        self.proceed(with: station)
        return true
    }

    private func isClockOff(_ station: StationState, at now: Timestamp) -> Bool {
        self.options.setsClocks && abs(station.drift) > self.options.drift
            && (station.clockSetAt == .distantPast || now - station.clockSetAt > Self.clockRest)
    }

    // MARK: Questions

    private func hasBusiness(with station: StationState, at now: Timestamp) -> Bool {
        station.open != nil || self.isClockOff(station, at: now) || station.log.question(at: now) != nil
    }

    /// Puts the next question to a station that is quiet, asks again what it has not answered, or lets it go.
    func proceed(with station: StationState) {
        let now = self.now()
        guard station.isKnown, let link = station.link, link.isOpen, station.newestFrame != nil else { return }
        if let open = station.open {
            guard now >= open.deadline else { return }
            if open.attempts < Self.attempts {
                self.ask(station, open.subject, attempt: open.attempts + 1)
            } else {
                self.giveUp(open.subject, station)
            }
            return
        }
        guard now - station.heardAt >= self.options.pause, station.waiting == 0 else { return }
        if self.isClockOff(station, at: now) {
            self.report(.clockOff(device: station.device, drift: station.drift))
            self.ask(station, .clock(left: abs(station.drift) > Self.farOff ? 2 : 1), attempt: 1)
        } else if let question = station.log.question(at: now) {
            self.ask(station, .period(question), attempt: 1)
        } else if station.isHeld, !self.options.keepsOnline, let held = station.held {
            station.isHeld = false
            station.held = nil
            link.send(SL651Downlink(answering: held.frame).confirm(held.frame, serial: held.serial, at: now))
        }
    }

    private func ask(_ station: StationState, _ subject: StationState.OpenQuestion.Subject, attempt: Int) {
        guard let frame = station.newestFrame, let link = station.link else { return }
        let now = self.now()
        let downlink = SL651Downlink(answering: frame)
        switch subject {
        case .clock: link.send(downlink.setClock(to: now))
        case .period(let question):
            guard let element = SL651Function.element(question.symbol),
                let bytes = downlink.askForPeriod(of: element, hours: question.hours, step: question.step, at: now)
            else {
                station.log.answered(question)
                return
            }
            link.send(bytes)
            self.metrics.asked += 1
            self.report(.asked(device: station.device, symbol: question.symbol, hours: question.hours))
        }
        station.open = StationState.OpenQuestion(
            subject: subject,
            attempts: attempt,
            deadline: now + self.options.answerTimeout
        )
    }

    private func giveUp(_ subject: StationState.OpenQuestion.Subject, _ station: StationState) {
        station.open = nil
        switch subject {
        case .clock:
            station.clockSetAt = self.now()
            self.report(.clockSilent(device: station.device))
        case .period(let question):
            if station.log.failed(question) {
                self.report(.gapGivenUp(device: station.device, symbol: question.symbol))
            }
        }
    }
}

/// What the functions of table B.1 are to the gateway.
enum SL651Function {
    private static let elements = Dictionary(uniqueKeysWithValues: SL651Element.all.map { ($0.symbol, $0) })
    /// States, numbers and figures that are no series of the weather or the water.
    private static let notAskedFor: Set<String> = ["VT", "GN", "GS", "GT", "NS", "DT", "PR", "ZT"]

    /// What a station sends of its own accord, and the centre confirms; not what answers a question (37–3A, 40–51).
    static func isReport(_ function: UInt8) -> Bool {
        switch function {
        case 0x37...0x3A, 0x40...0x51: false
        default: true
        }
    }

    static func element(_ symbol: String) -> SL651Element? { self.elements[symbol] }

    /// Whether hours of an element that are missing are asked for.
    static func isAskedFor(_ symbol: String) -> Bool {
        guard let element = self.elements[symbol], !self.notAskedFor.contains(symbol) else { return false }
        switch element.form {
        case .decimal, .depthToWater, .rainSteps, .levelSteps: return true
        case .clockHours, .gateHeight, .state, .step: return false
        }
    }
}
