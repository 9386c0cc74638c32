// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Synchronization

@testable import MQTTIngest

/// A TCP relay before the broker that counts acknowledgements on their way to it, can swallow them, and can cut connections:
/// what a network does.
final class TCPRelay: Sendable {
    private struct State {
        var descriptors: Set<Int32> = []
        var acknowledgements = 0
        var connections = 0
        var swallows = false
        var isStopped = false
    }

    let port: UInt16
    private let listener: Int32
    private let target: UInt16
    private let state = Mutex(State())

    init(to target: UInt16) throws {
        self.target = target
        self.port = try LoopbackPort.free()
        self.listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(self.listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(4))
        var address = Self.address(self.port)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(self.listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0, listen(self.listener, 16) == 0 else {
            throw MQTTError(.brokerFailed, "the relay has no port")
        }
        Thread { [weak self] in
            while let self, self.acceptOne() {}
        }
        .start()
    }

    var address: BrokerAddress { BrokerAddress(host: "127.0.0.1", port: self.port) }
    /// PUBACK packets that the client wrote.
    var acknowledgements: Int { self.state.withLock { $0.acknowledgements } }
    var connections: Int { self.state.withLock { $0.connections } }

    /// From now on nothing that the client writes reaches the broker.
    func swallow(_ isOn: Bool) {
        self.state.withLock { $0.swallows = isOn }
    }

    /// Cuts every connection.
    func cut() {
        self.state.withLock { state in
            for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    func stop() {
        self.state.withLock { $0.isStopped = true }
        shutdown(self.listener, Int32(SHUT_RDWR))
        self.cut()
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return address
    }

    private func acceptOne() -> Bool {
        let client = accept(self.listener, nil, nil)
        guard client >= 0, !self.state.withLock({ $0.isStopped }) else {
            close(self.listener)
            return false
        }
        let broker = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(self.target)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(broker, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            close(client)
            close(broker)
            return true
        }
        self.state.withLock {
            $0.connections += 1
            $0.descriptors.formUnion([client, broker])
        }
        let pump = Pump(relay: self, client: client, broker: broker)
        Thread { pump.run(from: client, to: broker, watches: true) }.start()
        Thread { pump.run(from: broker, to: client, watches: false) }.start()
        return true
    }

    /// The two directions of one connection; the last to end closes it.
    private final class Pump: Sendable {
        private let relay: TCPRelay
        private let open = Mutex(2)
        private let client: Int32
        private let broker: Int32

        init(relay: TCPRelay, client: Int32, broker: Int32) {
            self.relay = relay
            self.client = client
            self.broker = broker
        }

        func run(from source: Int32, to target: Int32, watches: Bool) {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var packets = PacketCounter()
            while true {
                let count = read(source, &buffer, buffer.count)
                guard count > 0 else { break }
                if watches {
                    let acknowledged = packets.acknowledgements(in: buffer[..<count])
                    let swallows = self.relay.state.withLock { state in
                        state.acknowledgements += acknowledged
                        return state.swallows
                    }
                    if swallows { continue }
                }
                guard send(target, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
            }
            shutdown(source, Int32(SHUT_RDWR))
            shutdown(target, Int32(SHUT_RDWR))
            let isLast = self.open.withLock { open in
                open -= 1
                return open == 0
            }
            guard isLast else { return }
            self.relay.state.withLock { $0.descriptors.subtract([self.client, self.broker]) }
            close(self.client)
            close(self.broker)
        }
    }
}

/// Counts PUBACK packets in a stream of MQTT packets.
struct PacketCounter {
    private var pending: [UInt8] = []

    mutating func acknowledgements(in bytes: ArraySlice<UInt8>) -> Int {
        self.pending += bytes
        var count = 0
        var start = 0
        while let end = self.endOfPacket(at: start) {
            if self.pending[start] >> 4 == 4 { count += 1 }
            start = end
        }
        self.pending.removeFirst(start)
        return count
    }

    private func endOfPacket(at start: Int) -> Int? {
        var length = 0
        for place in 0..<4 {
            let index = start + 1 + place
            guard index < self.pending.count else { return nil }
            length |= Int(self.pending[index] & 0x7F) << (7 * place)
            if self.pending[index] & 0x80 == 0 {
                let end = index + 1 + length
                return end <= self.pending.count ? end : nil
            }
        }
        return nil
    }
}
