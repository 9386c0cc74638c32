// poyang
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
package import MQTTIngest
import NIOCore
import NIOPosix
import ServiceLifecycle
package import Telemetry

/// Listens for stations that speak SL 651 over TCP, and publishes what they send to the broker.
///
/// ## Usage
/// ```swift
/// let gateway = SL651Gateway(options, publisher: publisher, now: clock, stations: { try await … }) { print($0) }
/// try await ServiceGroup(services: [gateway], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
package struct SL651Gateway: Service {
    /// How often it is asked who is registered.
    private static let refresh = Duration.seconds(300)
    /// How long the end waits for the broker.
    private static let farewell = Duration.seconds(5)
    /// How often what is known of gaps is saved.
    private static let saving = TimeAmount.seconds(10)

    private let options: GatewayOptions
    private let publisher: MQTTPublisher
    private let now: @Sendable () -> Timestamp
    private let stations: @Sendable () async throws -> [GatewayStation]
    private let report: @Sendable (GatewayEvent) -> Void

    /// - Parameters:
    ///   - options: Where it listens and what it may do.
    ///   - publisher: Not yet started; the gateway starts and stops it.
    ///   - now: The time to which clocks are set.
    ///   - stations: Who is registered; asked again and again.
    ///   - report: Hears what happens, from any thread.
    package init(
        _ options: GatewayOptions,
        publisher: MQTTPublisher,
        now: @escaping @Sendable () -> Timestamp,
        stations: @escaping @Sendable () async throws -> [GatewayStation],
        report: @escaping @Sendable (GatewayEvent) -> Void
    ) {
        self.options = options
        self.publisher = publisher
        self.now = now
        self.stations = stations
        self.report = report
    }

    /// Runs until it is told to shut down: then nothing new is taken, what the broker acknowledges within a few seconds is
    /// confirmed, and all connections end.
    ///
    /// - Throws: ``GatewayError`` where it cannot listen, or the file of gaps cannot be read.
    package func run() async throws {
        let memory = GatewayMemory(path: self.options.stateFile)
        let remembered = try memory.load()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let wanted = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let core =
            try await loop.submit {
                NIOLoopBound(
                    SL651Core(
                        options: self.options,
                        loop: loop,
                        publisher: self.publisher,
                        remembered: remembered,
                        now: self.now,
                        wantStations: { wanted.continuation.yield() },
                        report: self.report
                    ),
                    eventLoop: loop
                )
            }
            .get()
        let server: any NIOCore.Channel
        do {
            server = try await self.listen(group, core)
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        self.publisher.start()
        self.report(.listening(host: self.options.host, port: server.localAddress?.port ?? self.options.port))
        let ticking = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in core.value.tick()
        }
        let saving = loop.scheduleRepeatedTask(initialDelay: Self.saving, delay: Self.saving) { _ in
            self.save(core.value.memory, in: memory)
        }
        await self.followStations(wanted.stream, wanted.continuation, loop, core)

        try? await server.close().get()
        ticking.cancel()
        saving.cancel()
        try await loop.submit { core.value.isStopping = true }.get()
        await self.settle(loop, core)
        try await loop.submit { core.value.closeAll() }.get()
        await withCheckedContinuation { continuation in
            // It blocks until the broker has been left.
            DispatchQueue.global()
                .async {
                    self.publisher.stop(timeout: 0)
                    continuation.resume()
                }
        }
        let (metrics, logs) = try await loop.submit { (core.value.metrics, core.value.memory) }.get()
        self.save(logs, in: memory)
        try await group.shutdownGracefully()
        self.report(.stopped(metrics))
    }

    private func listen(
        _ group: MultiThreadedEventLoopGroup,
        _ core: NIOLoopBound<SL651Core>
    ) async throws -> any NIOCore.Channel {
        do {
            return try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(StationLink(core: core.value))
                    }
                }
                .bind(host: self.options.host, port: self.options.port)
                .get()
        } catch {
            let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
            throw GatewayError(
                "cannot listen on \(self.options.host):\(self.options.port): \(reason); stop what uses it, or name "
                    + "another address with --listen"
            )
        }
    }

    /// Asks who is registered, now, every five minutes, and when a stranger speaks, until the end.
    private func followStations(
        _ wanted: AsyncStream<Void>,
        _ continuation: AsyncStream<Void>.Continuation,
        _ loop: any EventLoop,
        _ core: NIOLoopBound<SL651Core>
    ) async {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    while !Task.isCancelled {
                        continuation.yield()
                        try? await Task.sleep(for: Self.refresh)
                    }
                }
                tasks.addTask {
                    var lastReason: String?
                    for await _ in wanted {
                        do {
                            let stations = try await self.stations()
                            lastReason = nil
                            try? await loop.submit { core.value.know(stations) }.get()
                        } catch {
                            guard !Task.isCancelled else { return }
                            let reason = "\(error)"
                            let isKnown = (try? await loop.submit { core.value.stationsUnreachable() }.get()) ?? false
                            if !isKnown, reason != lastReason { self.report(.stationsUnknown(reason: reason)) }
                            lastReason = reason
                        }
                        // A stranger is no reason to ask without end; who nobody answered yet is asked soon again.
                        try? await Task.sleep(for: .seconds(1))
                        if lastReason != nil { continuation.yield() }
                    }
                }
            }
        }
    }

    /// Waits until the broker has acknowledged what it was sent.
    private func settle(_ loop: any EventLoop, _ core: NIOLoopBound<SL651Core>) async {
        let deadline = ContinuousClock.now + Self.farewell
        while ContinuousClock.now < deadline, self.publisher.totals.isConnected {
            let isDone = (try? await loop.submit { core.value.pending.isEmpty }.get()) ?? true
            if isDone { return }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func save(_ logs: [UInt64: ObservationLog], in memory: GatewayMemory) {
        do { try memory.save(logs) } catch { self.report(.stateUnsaved(reason: "\(error)")) }
    }
}

/// Why the gateway cannot work, and what to do about it.
package struct GatewayError: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String

    init(_ message: String) { self.message = message }

    package var description: String { self.message }
}
