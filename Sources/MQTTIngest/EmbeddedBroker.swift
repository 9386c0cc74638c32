// poyang
// SPDX-License-Identifier: Apache-2.0

package import Foundation
import Glibc
package import Telemetry

/// A mosquitto of our own: a child process on a loopback port, with the settings of `ops/mosquitto.conf`.
///
/// For the demo, tests and `--embedded-broker`. It keeps sessions and queued messages in its directory, so that a broker
/// started there again goes on where the last one ended.
package final class EmbeddedBroker: Sendable {
    package struct Options: Sendable {
        /// Where the configuration, the log and the persistent sessions lie; made when missing.
        package var directory: URL
        /// nil takes a free port.
        package var port: UInt16?
        /// Bytes that the broker may keep for all clients that are away.
        package var maxQueuedBytes = 1 << 30
        /// Seconds between saves of sessions and queued messages.
        package var autosaveSeconds = 10
        /// Saves at every change instead: for tests that kill the broker.
        package var savesEveryChange = false

        package init(directory: URL, port: UInt16? = nil) {
            self.directory = directory
            self.port = port
        }
    }

    package let address: BrokerAddress
    private let process: ChildProcess

    /// Starts the broker and waits until it accepts connections.
    ///
    /// - Throws: ``MQTTError`` `broker_missing` when mosquitto is not installed, `broker_failed` with the last lines of its log
    ///   when it does not start.
    package init(_ options: Options, timeout: Milliseconds = 10_000) throws {
        let program = try Self.findProgram()
        try FileManager.default.createDirectory(at: options.directory, withIntermediateDirectories: true)
        Self.endOrphan(in: options.directory)
        let port = try options.port ?? LoopbackPort.free()
        let configuration = options.directory.appendingPathComponent("mosquitto.conf")
        try Self.configuration(options, port: port).write(to: configuration, atomically: true, encoding: .utf8)
        let log = options.directory.appendingPathComponent("mosquitto.log")

        let process = try ChildProcess(program: program.path, arguments: ["-c", configuration.path])
        let deadline = ContinuousClock.now + .milliseconds(timeout)
        while !LoopbackPort.accepts(port) {
            guard process.isRunning, ContinuousClock.now < deadline else {
                process.end(with: SIGKILL)
                let lines = (try? String(contentsOf: log, encoding: .utf8))?.split(separator: "\n").suffix(3) ?? []
                throw MQTTError(
                    .brokerFailed,
                    "the broker did not start on 127.0.0.1:\(port): \(lines.joined(separator: "; ")); log: \(log.path)"
                )
            }
            usleep(10_000)
        }
        self.address = BrokerAddress(host: "127.0.0.1", port: port)
        self.process = process
    }

    package var processID: Int32 { self.process.processID }
    package var isRunning: Bool { self.process.isRunning }

    /// Ends the broker in order: it saves what it holds.
    ///
    /// Returns when it has ended.
    package func stop() {
        self.process.end(with: SIGTERM)
    }

    /// Ends the broker as a crash would.
    package func kill() {
        self.process.end(with: SIGKILL)
    }

    deinit {
        self.process.end(with: SIGTERM)
    }

    /// Ends the broker that a killed owner of the directory left behind; it saves what it holds.
    ///
    /// It is one only if it still runs with this directory's configuration.
    private static func endOrphan(in directory: URL) {
        let file = directory.appendingPathComponent(Self.processIDFile)
        guard let text = try? String(contentsOf: file, encoding: .utf8),
            let processID = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), processID > 1
        else { return }
        let configuration = directory.appendingPathComponent("mosquitto.conf").path
        func isRunning() -> Bool {
            let command = URL(fileURLWithPath: "/proc/\(processID)/cmdline")
            guard let bytes = try? Data(contentsOf: command) else { return false }
            let arguments = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return arguments.first?.hasSuffix("mosquitto") == true && arguments.contains(configuration)
        }
        guard isRunning() else { return }
        Glibc.kill(processID, SIGTERM)
        let deadline = ContinuousClock.now + .seconds(10)
        while isRunning(), ContinuousClock.now < deadline { usleep(10_000) }
    }

    private static let processIDFile = "mosquitto.pid"

    /// The text of the configuration; the comments stand in `ops/mosquitto.conf`, whose settings these are.
    static func configuration(_ options: Options, port: UInt16) -> String {
        let directory = options.directory.path
        return """
            # Written by poyang for its own broker; ops/mosquitto.conf explains the settings.
            listener \(port) 127.0.0.1
            allow_anonymous true
            pid_file \(directory.hasSuffix("/") ? directory : directory + "/")\(self.processIDFile)
            persistence true
            persistence_location \(directory.hasSuffix("/") ? directory : directory + "/")
            autosave_interval \(options.savesEveryChange ? 1 : options.autosaveSeconds)
            autosave_on_changes \(options.savesEveryChange)
            persistent_client_expiration 14d
            max_inflight_messages 0
            max_queued_messages 0
            max_queued_bytes \(options.maxQueuedBytes)
            max_keepalive 600
            set_tcp_nodelay false
            \(geteuid() == 0 ? "# Else it would become a user who cannot write here.\nuser root" : "")
            log_dest file \(directory)/mosquitto.log
            log_type error
            log_type warning
            log_type notice

            """
    }

    private static func findProgram() throws -> URL {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders =
            path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"]
        for folder in folders {
            let file = URL(fileURLWithPath: folder).appendingPathComponent("mosquitto")
            if FileManager.default.isExecutableFile(atPath: file.path) { return file }
        }
        throw MQTTError(
            .brokerMissing,
            "mosquitto is not installed: neither in PATH nor in /usr/sbin; run ops/setup, or apt install mosquitto, or name "
                + "a broker by --broker"
        )
    }
}
