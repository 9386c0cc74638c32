// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import Telemetry

/// Which firmware a device has, as far as anybody said.
package struct KnownFirmware: Hashable, Sendable {
    package var device: String
    package var version: FirmwareVersion
    /// The first time that it was said.
    package var since: Timestamp
    /// Whether the device said so itself.
    package var isOwn: Bool

    package init(device: String, version: FirmwareVersion, since: Timestamp, isOwn: Bool) {
        self.device = device
        self.version = version
        self.since = since
        self.isOwn = isOwn
    }
}

/// The firmware of all devices: the newest that was said counts, and what a device says itself before what a server says.
package final class FirmwareBoard: Sendable {
    private struct Entry {
        var firmware: KnownFirmware
        /// The newest time at which it was said.
        var newest: Timestamp
    }

    private struct State {
        var entries: [String: Entry]
        var changed: Set<String> = []
    }

    private let state: Mutex<State>
    private let signal = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    package init(_ known: [KnownFirmware] = []) {
        let entries = known.map { ($0.device, Entry(firmware: $0, newest: $0.since)) }
        self.state = Mutex(State(entries: Dictionary(entries) { _, last in last }))
    }

    package subscript(device: String) -> KnownFirmware? {
        self.state.withLock { $0.entries[device]?.firmware }
    }

    /// One element whenever there is something to take with ``takeChanges()``; for one listener.
    package var changes: AsyncStream<Void> { self.signal.stream }

    /// What is other than before, by device; taken once.
    package func takeChanges() -> [KnownFirmware] {
        self.state.withLock { state in
            let changed = state.changed.sorted().compactMap { state.entries[$0]?.firmware }
            state.changed = []
            return changed
        }
    }

    /// What was taken and could not be written is to be taken again, as it is then.
    package func putBack(_ changes: [KnownFirmware]) {
        guard !changes.isEmpty else { return }
        self.state.withLock { $0.changed.formUnion(changes.lazy.map(\.device)) }
        self.signal.continuation.yield()
    }

    /// Takes notice of what was said at `receivedAt`; a clock that is ahead does not make it newer than that.
    func note(_ report: FirmwareReport, of device: String, receivedAt: Timestamp) {
        let time = min(report.time ?? receivedAt, receivedAt)
        let isNew = self.state.withLock { state -> Bool in
            if let known = state.entries[device] {
                guard report.isOwn || !known.firmware.isOwn else { return false }
                guard time >= known.newest || report.isOwn != known.firmware.isOwn else { return false }
                guard known.firmware.version != report.version || known.firmware.isOwn != report.isOwn else {
                    state.entries[device]?.newest = time
                    return false
                }
            }
            let firmware = KnownFirmware(device: device, version: report.version, since: time, isOwn: report.isOwn)
            state.entries[device] = Entry(firmware: firmware, newest: time)
            state.changed.insert(device)
            return true
        }
        if isNew { self.signal.continuation.yield() }
    }
}
