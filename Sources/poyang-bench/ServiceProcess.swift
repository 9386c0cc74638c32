// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// `poyang serve` as a child, and what it says of itself.
final class ServiceProcess {
    private let process = Process()
    private let log: URL
    let port: UInt16

    var processID: Int32 { self.process.processIdentifier }

    /// Starts the service on a broker of the loopback and waits until it is subscribed.
    init(program: String, directory: URL, devices: URL, rules: String, brokerPort: UInt16) throws {
        self.log = directory.appendingPathComponent("serve.log")
        guard FileManager.default.createFile(atPath: self.log.path, contents: nil) else {
            throw BenchFailure("cannot write \(self.log.path)")
        }
        self.process.executableURL = URL(fileURLWithPath: program)
        self.process.arguments = [
            "serve", "--data", directory.appendingPathComponent("data").path, "--devices", devices.path, "--rules",
            rules,
            "--broker", "mqtt://127.0.0.1:\(brokerPort)", "--listen", "127.0.0.1:0", "--clock", "data",
        ]
        self.process.standardError = try FileHandle(forWritingTo: self.log)
        try self.process.run()
        let deadline = ContinuousClock.now + .seconds(120)
        self.port = try Self.awaitPort(self.log, self.process, deadline)
        while try self.status("poyang_subscribed") != 1 {
            guard self.process.isRunning, ContinuousClock.now < deadline else {
                throw BenchFailure("the service does not subscribe: \(self.lastWords)")
            }
            usleep(20_000)
        }
    }

    /// The program in the folder of this one.
    static func programBeside(_ name: String) throws -> String {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let program = own.deletingLastPathComponent().appendingPathComponent(name).path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw BenchFailure("there is no \(program): run swift build -c release, or name it with --poyang")
        }
        return program
    }

    deinit { self.stop() }

    func stop() {
        guard self.process.isRunning else { return }
        self.process.terminate()
        self.process.waitUntilExit()
    }

    /// VmHWM of proc(5), in bytes.
    func largestResidentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(self.processID)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0) * 1024
    }

    /// What `/metrics` says of some metrics without labels.
    func status(_ names: String...) throws -> [Int] {
        let text = try self.get("/metrics")
        return try names.map { name in
            let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            guard let value = line?.split(separator: " ").last.flatMap({ Int($0) }) else {
                throw BenchFailure("the service does not say \(name): \(self.lastWords)")
            }
            return value
        }
    }

    private func status(_ name: String) throws -> Int {
        try self.status(name, name)[0]
    }

    /// Waits until it has committed so many messages in all, and its rules have seen every committed batch.
    ///
    /// - Returns: When that was first seen, in ns of the monotonic clock.
    func awaitJudged(messages: Int, timeout: Duration) throws -> UInt64 {
        let deadline = ContinuousClock.now + timeout
        while true {
            let seen = try self.status("poyang_messages_total", "poyang_journal_position", "poyang_processed_position")
            if seen[0] >= messages, seen[1] == seen[2] { return MonotonicClock.now }
            guard self.process.isRunning, ContinuousClock.now < deadline else {
                throw BenchFailure("\(seen[0]) of \(messages) messages after \(timeout): \(self.lastWords)")
            }
            usleep(20_000)
        }
    }

    private var lastWords: String {
        let text = (try? String(contentsOf: self.log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(5).joined(separator: "; ")
    }

    private static func awaitPort(_ log: URL, _ process: Process, _ deadline: ContinuousClock.Instant) throws -> UInt16
    {
        while true {
            let lines = ((try? String(contentsOf: log, encoding: .utf8)) ?? "").split(separator: "\n")
            let address = lines.first { $0.hasPrefix("ready http://") }?.split(separator: ":").last
            if let port = address.flatMap({ UInt16($0) }) { return port }
            guard process.isRunning, ContinuousClock.now < deadline else {
                throw BenchFailure("the service does not start: \(lines.suffix(5).joined(separator: "; "))")
            }
            usleep(20_000)
        }
    }

    private func get(_ path: String) throws -> String {
        let descriptor = try LoopbackSocket.connect(self.port)
        defer { close(descriptor) }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw BenchFailure("the service hung up: \(self.lastWords)")
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let got = recv(descriptor, &buffer, buffer.count, 0)
            guard got > 0 else { break }
            answer += buffer[..<got]
        }
        return String(decoding: answer, as: UTF8.self)
    }
}

/// TCP to a port of the loopback.
enum LoopbackSocket {
    static func connect(_ port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else {
            close(descriptor)
            throw BenchFailure("nothing takes connections on 127.0.0.1:\(port)")
        }
        return descriptor
    }
}
