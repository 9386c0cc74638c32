// poyang
// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import Telemetry

/// What devices say of themselves beside their values: their firmware, and whether they are connected.
///
/// Of firmware the newest that was said counts, and what a device says itself before what a server says.
package final class DeviceBoard: Sendable {
    /// What is known of devices of which something is other than it was.
    package struct Changes: Sendable {
        package var firmware: [KnownFirmware] = []
        package var connections: [DeviceConnection] = []
        /// Devices of which nothing is known any more.
        package var forgotten: [String] = []

        package var isEmpty: Bool { self.firmware.isEmpty && self.connections.isEmpty && self.forgotten.isEmpty }
    }

    private struct Entry {
        var firmware: KnownFirmware?
        /// The newest time at which the firmware was said.
        var newest = Timestamp.distantPast
        var connection: DeviceConnection?
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var changed: Set<String> = []
    }

    private let state: Mutex<State>
    private let signal = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    package init(firmware: [KnownFirmware] = [], connections: [DeviceConnection] = []) {
        var state = State()
        for known in firmware {
            state.entries[known.device, default: Entry()].firmware = known
            state.entries[known.device]?.newest = known.since
        }
        for known in connections { state.entries[known.device, default: Entry()].connection = known }
        self.state = Mutex(state)
    }

    package func firmware(of device: String) -> KnownFirmware? {
        self.state.withLock { $0.entries[device]?.firmware }
    }

    /// Nil for a device that never said whether it is connected.
    package func connection(of device: String) -> DeviceConnection? {
        self.state.withLock { $0.entries[device]?.connection }
    }

    /// One element whenever there is something to take with ``takeChanges()``; for one listener.
    package var changes: AsyncStream<Void> { self.signal.stream }

    /// What is other than before; taken once.
    package func takeChanges() -> Changes {
        self.state.withLock { state in
            var changes = Changes()
            for device in state.changed.sorted() {
                guard let entry = state.entries[device] else {
                    changes.forgotten.append(device)
                    continue
                }
                if let firmware = entry.firmware { changes.firmware.append(firmware) }
                if let connection = entry.connection { changes.connections.append(connection) }
            }
            state.changed = []
            return changes
        }
    }

    /// What was taken and could not be written is to be taken again, as it is then.
    package func putBack(_ changes: Changes) {
        guard !changes.isEmpty else { return }
        self.state.withLock { state in
            state.changed.formUnion(changes.firmware.lazy.map(\.device))
            state.changed.formUnion(changes.connections.lazy.map(\.device))
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

    /// Takes notice of what a device said of its connection at `receivedAt`; said again, it is nothing new.
    func note(_ connection: DeviceConnection.State, of device: String, receivedAt: Timestamp) {
        let isNew = self.state.withLock { state -> Bool in
            let known = state.entries[device]?.connection
            guard known?.state != connection, known.map({ $0.since <= receivedAt }) ?? true else { return false }
            let new = DeviceConnection(device: device, state: connection, since: receivedAt)
            state.entries[device, default: Entry()].connection = new
            state.changed.insert(device)
            return true
        }
        if isNew { self.signal.continuation.yield() }
    }

    /// Takes notice of firmware that was said at `receivedAt`; a clock that is ahead does not make it newer than that.
    func note(_ report: FirmwareReport, of device: String, receivedAt: Timestamp) {
        let time = min(report.time ?? receivedAt, receivedAt)
        let isNew = self.state.withLock { state -> Bool in
            var entry = state.entries[device] ?? Entry()
            if let known = entry.firmware {
                guard report.isOwn || !known.isOwn else { return false }
                guard time >= entry.newest || report.isOwn != known.isOwn else { return false }
                guard known.version != report.version || known.isOwn != report.isOwn else {
                    state.entries[device]?.newest = time
                    return false
                }
            }
            entry.firmware = KnownFirmware(device: device, version: report.version, since: time, isOwn: report.isOwn)
            entry.newest = time
            state.entries[device] = entry
            state.changed.insert(device)
            return true
        }
        if isNew { self.signal.continuation.yield() }
    }
}
