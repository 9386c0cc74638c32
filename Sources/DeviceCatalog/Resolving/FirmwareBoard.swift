// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import Telemetry

/// The firmware of all devices: the newest that was said counts, and what a device says itself before what a server says.
package final class FirmwareBoard: Sendable {
    /// What is other than it was, by device.
    package struct Changes: Sendable {
        package var known: [KnownFirmware] = []
        /// Devices of which nothing is known any more.
        package var forgotten: [String] = []

        package var isEmpty: Bool { self.known.isEmpty && self.forgotten.isEmpty }
    }

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
    package func takeChanges() -> Changes {
        self.state.withLock { state in
            var changes = Changes()
            for device in state.changed.sorted() {
                if let entry = state.entries[device] {
                    changes.known.append(entry.firmware)
                } else {
                    changes.forgotten.append(device)
                }
            }
            state.changed = []
            return changes
        }
    }

    /// What was taken and could not be written is to be taken again, as it is then.
    package func putBack(_ changes: Changes) {
        guard !changes.isEmpty else { return }
        self.state.withLock { state in
            state.changed.formUnion(changes.known.lazy.map(\.device))
            state.changed.formUnion(changes.forgotten)
        }
        self.signal.continuation.yield()
    }

    /// Forgets devices that are no longer there: other hardware under such an id says its own.
    func forget(unless isThere: (String) -> Bool) {
        let isOther = self.state.withLock { state -> Bool in
            let gone = state.entries.keys.filter { !isThere($0) }
            for device in gone { state.entries[device] = nil }
            state.changed.formUnion(gone)
            return !gone.isEmpty
        }
        if isOther { self.signal.continuation.yield() }
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
