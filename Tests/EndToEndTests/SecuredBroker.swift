// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import MQTTIngest
import Testing

/// A mosquitto with TLS and plain TCP that knows nobody but whom the service lets in.
final class SecuredBroker: Sendable {
    let process: PoyangProcess
    let plain: UInt16
    let secure: UInt16
    let folder: URL

    var accounts: URL { self.folder.appending(path: "accounts") }
    var processIDFile: URL { self.folder.appending(path: "mosquitto.pid") }
    var authority: URL { self.folder.appending(path: "ca.crt") }

    init(_ folder: URL) async throws {
        self.folder = folder
        self.plain = try LoopbackPort.free()
        self.secure = try LoopbackPort.free()
        try await Self.makeCertificates(folder)
        let accounts = folder.appending(path: "accounts")
        try FileManager.default.createDirectory(at: accounts, withIntermediateDirectories: true)
        for name in ["passwords", "acl"] { try Data().write(to: accounts.appending(path: name)) }
        let configuration = folder.appending(path: "mosquitto.conf")
        try """
        listener \(self.plain) 127.0.0.1
        listener \(self.secure) 127.0.0.1
        cafile \(folder.path)/ca.crt
        certfile \(folder.path)/server.crt
        keyfile \(folder.path)/server.key
        allow_anonymous false
        password_file \(accounts.path)/passwords
        acl_file \(accounts.path)/acl
        pid_file \(folder.path)/mosquitto.pid
        max_queued_messages 0
        max_inflight_messages 0
        \(geteuid() == 0 ? "user root" : "")
        log_dest file \(folder.path)/mosquitto.log
        """
        .write(to: configuration, atomically: true, encoding: .utf8)
        let program = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        self.process = try PoyangProcess(
            program: URL(fileURLWithPath: try #require(program)),
            ["-c", configuration.path]
        )
        let port = self.plain
        try await eventually("the broker") { (try? BareClient(port: port, user: "", password: "")) != nil }
    }

    /// An authority, and a certificate of it for localhost.
    private static func makeCertificates(_ folder: URL) async throws {
        let steps = [
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=test-authority",
            "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost",
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2",
        ]
        for step in steps {
            let run = try PoyangProcess(
                program: URL(fileURLWithPath: "/usr/bin/openssl"),
                step.split(separator: " ").map(String.init),
                in: folder
            )
            try await run.waitForExit()
            try #require(run.outcome.status == 0, "\(run.errors)")
        }
    }

    var plainURL: String { "mqtt://127.0.0.1:\(self.plain)" }
    var secureURL: String { "mqtts://localhost:\(self.secure)" }

    /// A service that reaches the broker over TLS and keeps its accounts; without files of devices and rules unless some
    /// are given.
    func serve(
        data: URL,
        devices: URL? = nil,
        rules: URL? = nil,
        _ arguments: [String] = []
    ) async throws -> RunningService {
        let none = self.folder.appending(path: "none")
        try FileManager.default.createDirectory(at: none, withIntermediateDirectories: true)
        let process = try PoyangProcess(
            [
                "serve", "--listen", "127.0.0.1:0", "--broker", self.secureURL, "--data", data.path, "--devices",
                (devices ?? none).path, "--rules", (rules ?? none).path,
            ] + arguments,
            environment: [
                "POYANG_BROKER_USER": "poyang", "POYANG_BROKER_PASSWORD": Self.servicePassword,
                "POYANG_BROKER_AUTHORITY": self.authority.path, "POYANG_BROKER_ACCOUNTS": self.accounts.path,
                "POYANG_BROKER_PID_FILE": self.processIDFile.path,
            ]
        )
        let url = try await process.announced("ready ")
        let service = RunningService(process: process, url: url, broker: self.plainURL)
        try await eventually("readiness over TLS") { try await service.isReady() }
        return service
    }

    static let servicePassword = "secret of the service"

    func stop() async throws {
        self.process.signal(SIGTERM)
        try await self.process.waitForExit()
    }

    /// Publishes one message as a user; returns whether the broker took it within two seconds.
    static func publish(
        _ payload: [UInt8],
        to topic: String,
        as user: (name: String, password: String),
        at url: String,
        authority: String? = nil
    ) async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        var options = MQTTPublisher.Options(
                            broker: try BrokerAddress(url),
                            clientID: "test-\(UUID().uuidString.prefix(8))"
                        )
                        options.credentials = MQTTCredentials(
                            user: user.name,
                            password: user.password,
                            authorityFile: authority
                        )
                        var logger = Logger(label: "test", factory: { StreamLogHandler.standardError(label: $0) })
                        logger.logLevel = .critical
                        let publisher = MQTTPublisher(options, logger: logger)
                        publisher.start()
                        defer { publisher.stop(timeout: 0) }
                        do {
                            try publisher.publish(
                                topic: topic,
                                payload: payload
                            )
                            try publisher.flush(timeout: 2000)
                            return true
                        } catch is MQTTError {
                            return false
                        }
                    }
                )
            }
        }
    }
}

/// As much of MQTT 3.1.1 as it takes to log in, to subscribe, and to see what comes.
final class BareClient {
    enum Event: Equatable {
        case packet(UInt8)
        case nothing
        /// The broker has ended the connection.
        case end
    }

    private let descriptor: Int32
    /// Of CONNACK: 0 for who may come in; nil where the broker hung up.
    private(set) var returnCode: UInt8?

    init(port: UInt16, user: String, password: String) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(self.descriptor, $0, size) }
        }
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .ECONNREFUSED) }
        let client = "bare-\(UUID().uuidString.prefix(8))"
        self.send(0x10, Self.text("MQTT") + [4, 0xC2, 0, 0] + [client, user, password].flatMap { Self.text($0) })
        var answer = [UInt8](repeating: 0, count: 4)
        if self.wait(within: 10), recv(self.descriptor, &answer, 4, 0) == 4 { self.returnCode = answer[3] }
    }

    deinit { close(self.descriptor) }

    func subscribe(_ topics: [String]) throws {
        self.send(0x82, [0, 1] + topics.flatMap { Self.text($0) + [1] })
        var answer = [UInt8](repeating: 0, count: 4 + topics.count)
        try #require(self.wait(within: 10) && recv(self.descriptor, &answer, answer.count, 0) > 0)
        #expect(answer[0] == 0x90)
    }

    /// What comes next, by the first byte of its packet.
    func next(within seconds: Int32) -> Event {
        guard self.wait(within: seconds) else { return .nothing }
        var byte: UInt8 = 0
        return recv(self.descriptor, &byte, 1, 0) == 1 ? .packet(byte) : .end
    }

    private func wait(within seconds: Int32) -> Bool {
        var ready = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&ready, 1, seconds * 1000) > 0
    }

    private func send(_ kind: UInt8, _ content: [UInt8]) {
        var bytes = [kind]
        var length = content.count
        repeat {
            bytes.append(UInt8(length % 128) | (length >= 128 ? 0x80 : 0))
            length /= 128
        } while length > 0
        bytes += content
        _ = bytes.withUnsafeBytes {
            Foundation.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    private static func text(_ text: some StringProtocol) -> [UInt8] {
        let bytes = Array(text.utf8)
        return [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
    }
}
